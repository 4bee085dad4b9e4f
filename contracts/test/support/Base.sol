// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IBugMarkEscrow} from "../../src/interfaces/IBugMarkEscrow.sol";
import {Account, Key, Line, Market, Opening, Outcome, Position, Status} from "../../src/interfaces/Types.sol";
import {Vm} from "./Vm.sol";

interface IMintable is IERC20 {
    function faucet(address to) external;
    function nonces(address owner) external view returns (uint256);
    function DOMAIN_SEPARATOR() external view returns (bytes32);
}

/// @title An escrow with five keys, some people with money in it, and words to say what a batch holds.
abstract contract Base {
    struct Pending {
        address account;
        bytes32 market;
        int64 cash;
        int64 fixedUnits;
        int64 unfixedUnits;
    }

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant BLOCKS_PER_DAY = 7200;
    uint256 internal constant START = 1_800_000_000;
    uint40 internal constant FAR = uint40(START + 700 days);
    uint256 internal constant MILL = 1e15;
    uint64 internal constant PURSE = 1_000_000;

    bytes32 internal constant M = bytes32(uint256(0x11));
    bytes32 internal constant N = bytes32(uint256(0x22));

    uint256 internal constant OPERATOR_KEY = 0xA1;
    uint256 internal constant ADAM_KEY = 0xB1;

    address internal operator = vm.addr(OPERATOR_KEY);
    address internal oracle = vm.addr(0xA2);
    address internal arbiter = vm.addr(0xA3);
    address internal guardian = vm.addr(0xA4);
    address internal owner = vm.addr(0xA5);
    address internal sink = vm.addr(0xA6);
    address internal adam = vm.addr(ADAM_KEY);
    address internal beth = vm.addr(0xB2);
    address internal charles = vm.addr(0xB3);
    address internal thief = vm.addr(0xB4);
    address internal stranger = vm.addr(0xB5);

    IMintable internal token;
    IBugMarkEscrow internal escrow;

    Pending[] private _pending;
    Opening[] private _openings;

    function setUp() public virtual {
        vm.warp(START);
        vm.roll(20_000_000);
        token = IMintable(vm.deployCode("PlayToken.sol:PlayToken"));
        escrow = deploy(address(token));
    }

    function deploy(address currency) internal returns (IBugMarkEscrow) {
        return deployWith(currency, [operator, oracle, arbiter, guardian, owner], sink, BLOCKS_PER_DAY);
    }

    function deployWith(address currency, address[5] memory holders, address drain, uint256 pace)
        internal
        returns (IBugMarkEscrow)
    {
        bytes memory arguments = abi.encode(currency, holders, drain, pace);
        // A changed escrow is tried by naming its artifact; this is the one place where an escrow is made.
        string memory artifact = vm.envOr("ESCROW", string("BugMarkEscrow.sol:BugMarkEscrow"));
        return IBugMarkEscrow(vm.deployCode(artifact, arguments));
    }

    // ---- time ----

    function time() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    /// @dev The chain goes on for so long at its pace.
    function pass(uint256 secondsGone) internal {
        vm.warp(time() + secondsGone);
        vm.roll(vm.getBlockNumber() + (secondsGone * BLOCKS_PER_DAY + 1 days - 1) / 1 days);
    }

    /// @dev The chain stands still for so long.
    function halt(uint256 secondsGone) internal {
        vm.warp(time() + secondsGone);
        vm.roll(vm.getBlockNumber() + 1);
    }

    // ---- people ----

    /// @dev Gives somebody tokens in the wallet and lets the escrow take them.
    function wallet(address who, uint64 mills) internal {
        while (token.balanceOf(who) < mills * MILL) {
            vm.warp(time() + 1 days);
            token.faucet(who);
        }
        vm.warp(START);
        vm.prank(who);
        token.approve(address(escrow), type(uint256).max);
    }

    /// @dev Somebody with `mills` free and an allowance of as much.
    function person(address who, uint64 mills) internal {
        person(who, mills, mills);
    }

    function person(address who, uint64 mills, uint64 maxLoss) internal {
        wallet(who, mills);
        vm.startPrank(who);
        escrow.deposit(mills);
        if (maxLoss > 0) escrow.allow(maxLoss, FAR);
        vm.stopPrank();
    }

    function free(address who) internal view returns (uint64) {
        return escrow.accountOf(who).free;
    }

    function used(address who) internal view returns (uint64) {
        return escrow.accountOf(who).used;
    }

    // ---- batches ----

    function opens(bytes32 market, uint256 maturation) internal {
        _openings.push(Opening(market, keccak256(abi.encode("terms", market)), uint40(maturation)));
    }

    function line(bytes32 market, address account, int256 cash, int256 fixedUnits, int256 unfixedUnits) internal {
        _pending.push(Pending(account, market, int64(cash), int64(fixedUnits), int64(unfixedUnits)));
    }

    /// @dev New units: `yes` pays `price` a unit for FIXED, `no` the rest of each token for UNFIXED.
    function mint(bytes32 market, address yes, address no, uint256 units, uint256 price) internal {
        line(market, yes, -int256(units * price), int256(units), 0);
        line(market, no, -int256(units * (1000 - price)), 0, int256(units));
    }

    /// @dev FIXED units change hands at `price`.
    function sellFixed(bytes32 market, address from, address to, uint256 units, uint256 price) internal {
        line(market, from, int256(units * price), -int256(units), 0);
        line(market, to, -int256(units * price), int256(units), 0);
    }

    /// @dev UNFIXED units change hands; `price` is that of FIXED.
    function sellUnfixed(bytes32 market, address from, address to, uint256 units, uint256 price) internal {
        line(market, from, int256(units * (1000 - price)), 0, -int256(units));
        line(market, to, -int256(units * (1000 - price)), 0, int256(units));
    }

    /// @dev Sends what was said since the last batch.
    function settle() internal {
        (Opening[] memory openings, bytes32[] memory markets, Line[] memory lines) = batch();
        settleRaw(openings, markets, lines);
    }

    function settleRaw(Opening[] memory openings, bytes32[] memory markets, Line[] memory lines) internal {
        uint64 number = escrow.batchNumber() + 1;
        bytes32 prevSeal = escrow.lastSeal();
        vm.prank(operator);
        escrow.settleBatch(number, prevSeal, sealOf(number), openings, markets, lines);
    }

    function settleFails(bytes memory why) internal {
        (Opening[] memory openings, bytes32[] memory markets, Line[] memory lines) = batch();
        settleRawFails(openings, markets, lines, why);
    }

    function settleRawFails(Opening[] memory openings, bytes32[] memory markets, Line[] memory lines, bytes memory why)
        internal
    {
        uint64 number = escrow.batchNumber() + 1;
        bytes32 prevSeal = escrow.lastSeal();
        vm.prank(operator);
        vm.expectRevert(why);
        escrow.settleBatch(number, prevSeal, sealOf(number), openings, markets, lines);
    }

    function sealOf(uint64 number) internal pure returns (bytes32) {
        return keccak256(abi.encode("seal", number));
    }

    /// @dev What was said since the last batch, in the order that the escrow asks for.
    function batch() internal returns (Opening[] memory openings, bytes32[] memory markets, Line[] memory lines) {
        openings = _openings;
        Pending[] memory said = _pending;
        delete _openings;
        delete _pending;
        markets = _marketsOf(said);
        _sort(said);
        lines = new Line[](said.length);
        for (uint256 i = 0; i < said.length; ++i) {
            Pending memory p = said[i];
            uint16 index = 0;
            while (markets[index] != p.market) ++index;
            lines[i] = Line(p.account, index, p.cash, p.fixedUnits, p.unfixedUnits);
        }
    }

    function _marketsOf(Pending[] memory said) private pure returns (bytes32[] memory found) {
        bytes32[] memory all = new bytes32[](said.length);
        uint256 count = 0;
        for (uint256 i = 0; i < said.length; ++i) {
            uint256 place = 0;
            while (place < count && all[place] < said[i].market) ++place;
            if (place < count && all[place] == said[i].market) continue;
            for (uint256 j = count; j > place; --j) {
                all[j] = all[j - 1];
            }
            all[place] = said[i].market;
            ++count;
        }
        found = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            found[i] = all[i];
        }
    }

    function _sort(Pending[] memory said) private pure {
        for (uint256 i = 1; i < said.length; ++i) {
            for (uint256 j = i; j > 0 && said[j].account < said[j - 1].account; --j) {
                (said[j], said[j - 1]) = (said[j - 1], said[j]);
            }
        }
    }

    // ---- outcomes ----

    function report(bytes32 market, Outcome outcome) internal {
        vm.prank(oracle);
        escrow.report(market, outcome, keccak256("evidence"));
    }

    /// @dev Reports, waits for the window and pays the holders.
    function ends(bytes32 market, Outcome outcome) internal {
        report(market, outcome);
        pass(1 days);
        redeem(market);
    }

    function redeem(bytes32 market) internal {
        escrow.redeemMany(market, everybody());
    }

    function everybody() internal view virtual returns (address[] memory all) {
        all = new address[](6);
        (all[0], all[1], all[2], all[3], all[4], all[5]) = (adam, beth, charles, thief, stranger, sink);
    }

    // ---- what holds ----

    function eq(uint256 left, uint256 right, string memory why) internal pure {
        vm.assertEq(left, right, why);
    }

    function same(Outcome left, Outcome right, string memory why) internal pure {
        vm.assertEq(uint256(left), uint256(right), why);
    }

    function holds(bytes32 market, address who, uint256 fixedUnits, uint256 unfixedUnits) internal view {
        Position memory held = escrow.positionOf(market, who);
        eq(held.fixedUnits, fixedUnits, "FIXED units");
        eq(held.unfixedUnits, unfixedUnits, "UNFIXED units");
    }

    /// @dev The escrow holds what it says, and that is what it owes to these people and for these units.
    function solvent(bytes32[] memory markets) internal view {
        uint256 owed = 0;
        address[] memory all = everybody();
        for (uint256 i = 0; i < all.length; ++i) {
            owed += free(all[i]);
        }
        for (uint256 i = 0; i < markets.length; ++i) {
            Market memory market = escrow.marketOf(markets[i]);
            owed += 1000 * uint256(market.units) - market.paid + market.bond;
        }
        eq(escrow.held(), owed, "held is what is owed");
        eq(token.balanceOf(address(escrow)), owed * MILL, "the balance is what is owed");
    }

    function one(bytes32 market) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = market;
    }
}
