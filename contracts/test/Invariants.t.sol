// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {Account, Market, Outcome, Position, Status} from "../src/interfaces/Types.sol";
import {Law} from "../src/Law.sol";
import {Handler} from "./support/Handler.sol";
import {Vm} from "./support/Vm.sol";

/// @title What holds after any legal calls: a handler makes them, and none of them may fail.
contract InvariantsTest {
    using Law for Position;

    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    Handler private handler;

    struct Selectors {
        address target;
        bytes4[] selectors;
    }

    function setUp() public {
        handler = new Handler();
        handler.begin();
    }

    function targetSelectors() public view returns (Selectors[] memory found) {
        found = new Selectors[](1);
        found[0] = Selectors(address(handler), handler.moves());
    }

    function targetContracts() public view returns (address[] memory found) {
        found = new address[](1);
        found[0] = address(handler);
    }

    function invariant_solvency_conservation_floor_and_void() public view {
        solvency();
        conservation();
        floor();
        voiding();
    }

    /// @dev The balance is what is held, and that is what is owed, to the mill.
    function solvency() private view {
        uint256 owed = 0;
        for (uint256 i = 0; i < handler.count(); ++i) {
            owed += handler.accountOf(handler.people(i)).free;
        }
        for (uint256 i = 0; i < handler.marketCount(); ++i) {
            Market memory market = handler.marketOf(handler.markets(i));
            owed += 1000 * uint256(market.units) - market.paid + market.bond;
        }
        vm.assertEq(handler.heldMills(), owed, "held");
        vm.assertEq(handler.balance(), owed * handler.unitsPerMill(), "balance");
    }

    /// @dev Units of both sides are as many, and those that are left are what was not redeemed; X and G are fresh sums.
    function conservation() private view {
        for (uint256 m = 0; m < handler.marketCount(); ++m) {
            bytes32 id = handler.markets(m);
            Market memory market = handler.marketOf(id);
            uint256[4] memory sums;
            for (uint256 i = 0; i < handler.count(); ++i) {
                Position memory position = handler.positionOf(id, handler.people(i));
                (uint256 above, uint256 below) = position.distance();
                sums[0] += position.fixedUnits;
                sums[1] += position.unfixedUnits;
                sums[2] += above;
                sums[3] += below;
            }
            vm.assertEq(sums[0] + market.fixedGone, uint256(market.units), "FIXED");
            vm.assertEq(sums[1] + market.unfixedGone, uint256(market.units), "UNFIXED");
            if (market.fixedGone + market.unfixedGone == 0) {
                vm.assertEq(sums[2], uint256(market.excess), "X");
                vm.assertEq(sums[3], uint256(market.gap), "G");
            }
        }
    }

    /// @dev Nobody ends with less than deposits - exits + sure gains - maxLoss: what is sure is never less than that.
    function floor() private view {
        for (uint256 i = 0; i < handler.count(); ++i) {
            address who = handler.people(i);
            if (who == handler.drain()) continue;
            Account memory account = handler.accountOf(who);
            uint256 sure = account.free;
            uint256 feared = 0;
            for (uint256 m = 0; m < handler.marketCount(); ++m) {
                Position memory position = handler.positionOf(handler.markets(m), who);
                sure += 1000 * position.pairs();
                feared += position.loss;
            }
            vm.assertGe(sure + handler.out(who) + account.used, handler.paidIn(who), "the floor");
            vm.assertLe(account.used, handler.mostAllowed(who), "used is at most what was ever allowed");
            vm.assertEq(feared + handler.realised(who), uint256(account.used), "used is the sum of losses");
        }
    }

    /// @dev Of a market that a VOID ends, pay-outs sum to at most what it holds, each between claim and half.
    function voiding() private view {
        for (uint256 m = 0; m < handler.marketCount(); ++m) {
            bytes32 id = handler.markets(m);
            Market memory market = handler.marketOf(id);
            if (market.fixedGone + market.unfixedGone > 0) continue;
            uint256 paid = 0;
            for (uint256 i = 0; i < handler.count(); ++i) {
                Position memory position = handler.positionOf(id, handler.people(i));
                uint256 pay = position.voidPayout(market.excess, market.gap);
                uint256 beyond = pay - 1000 * position.pairs();
                (uint256 claim, uint256 half) = position.claimAndHalf();
                vm.assertGe(beyond, claim < half ? claim : half, "at least the smaller");
                vm.assertLe(beyond, claim < half ? half : claim, "at most the larger");
                paid += pay;
            }
            vm.assertLe(paid, 1000 * uint256(market.units), "at most what is held");
            vm.assertGe(paid + handler.count(), 1000 * uint256(market.units), "all but the dust");
        }
    }

    /// @dev However it went: all markets end, everybody is paid and leaves, and nothing stays.
    function afterInvariant() public {
        handler.endAll();
        vm.assertEq(handler.heldMills(), 0, "nothing is held");
        vm.assertEq(handler.balance(), 0, "the escrow is empty");
    }
}
