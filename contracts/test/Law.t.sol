// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {Outcome, Position} from "../src/interfaces/Types.sol";
import {Law} from "../src/Law.sol";
import {Vm} from "./support/Vm.sol";

/// @title The arithmetic alone: any numbers, and all small ones.
contract LawTest {
    using Law for Position;

    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant MANY = 9e12;

    struct Book {
        uint256 excess;
        uint256 gap;
        uint256 units;
        uint256 paid;
    }

    function eq(uint256 left, uint256 right, string memory why) private pure {
        vm.assertEq(left, right, why);
    }

    function claimOf(Position memory p) private pure returns (uint256 claimed) {
        (claimed,) = p.claimAndHalf();
    }

    function position(uint48 fixedUnits, uint48 unfixedUnits, int80 netPaid) private pure returns (Position memory) {
        return Position(uint48(fixedUnits % MANY), uint48(unfixedUnits % MANY), int80(netPaid % 9e15), 0);
    }

    function test_claims_and_halves_by_hand() public pure {
        Position memory p = Position(7, 3, 4200, 0);
        eq(p.pairs(), 3, "pairs");
        eq(p.single(), 4, "single");
        eq(claimOf(p), 1200, "claim");
        (uint256 above, uint256 below) = p.distance();
        eq(above, 0, "above");
        eq(below, 800, "below");
        eq(claimOf(Position(0, 2, 1500, 0)), 1500, "claim");
        (above, below) = Position(0, 2, 1500, 0).distance();
        eq(above, 500, "above");
        eq(below, 0, "below");
        eq(claimOf(Position(0, 2, 2001, 0)), 2000, "at most a token a unit");
        eq(claimOf(Position(0, 2, -1, 0)), 0, "at least nothing");
        eq(claimOf(Position(2, 2, 5000, 0)), 0, "no single units");
    }

    function test_pay_outs_by_hand() public pure {
        Position memory p = Position(7, 3, 4200, 0);
        eq(p.payout(Outcome.Fixed, 0, 0), 7000, "FIXED");
        eq(p.payout(Outcome.Unfixed, 0, 0), 3000, "UNFIXED");
        eq(p.payout(Outcome.Void, 0, 0), 4200, "claims are what is held");
        eq(p.payout(Outcome.Void, 900, 800), 4200, "below half and too much is claimed: the claim");
        eq(p.payout(Outcome.Void, 700, 801), 4300, "below half and something is over");
        Position memory q = Position(0, 2, 1500, 0);
        eq(q.payout(Outcome.Void, 900, 800), 1444, "above half and too much is claimed");
        eq(q.payout(Outcome.Void, 500, 500), 1500, "as much as is held");
        eq(q.payout(Outcome.Void, 500, 501), 1500, "above half and something is over: the claim");
    }

    function test_shares_by_hand() public pure {
        eq(Position(7, 3, 4201, 0).share(3), 900, "of four single units");
        eq(Position(7, 3, 2999, 0).share(3), 0, "nothing was paid for them");
        eq(Position(3, 0, 1000, 0).share(1), 333, "floored");
    }

    function test_real_losses_by_hand() public pure {
        eq(Position(7, 3, 0, 500).realLoss(0), 3500, "feared");
        eq(Position(7, 3, 0, 500).realLoss(3000), 500, "the pairs");
        eq(Position(7, 3, 0, 500).realLoss(3499), 1, "less");
        eq(Position(7, 3, 0, 500).realLoss(9000), 0, "none");
    }

    function trades(Position memory p, int256 fixedUnits, int256 unfixedUnits) external pure returns (Position memory) {
        return p.traded(0, fixedUnits, unfixedUnits);
    }

    function test_units_have_ends() public {
        uint48 most = type(uint48).max;
        eq(this.trades(Position(most - 1, 0, 0, 0), 1, 0).fixedUnits, most, "most");
        eq(this.trades(Position(0, most - 1, 0, 0), 0, 1).unfixedUnits, most, "most");
        vm.expectRevert(abi.encodeWithSelector(Law.TooManyUnits.selector));
        this.trades(Position(most, 0, 0, 0), 1, 0);
        vm.expectRevert(abi.encodeWithSelector(Law.TooManyUnits.selector));
        this.trades(Position(0, most, 0, 0), 0, 1);
        eq(this.trades(Position(1, 0, 0, 0), -1, 0).fixedUnits, 0, "none");
        vm.expectRevert(abi.encodeWithSelector(Law.TooFewUnits.selector));
        this.trades(Position(1, 0, 0, 0), -2, 0);
        vm.expectRevert(abi.encodeWithSelector(Law.TooFewUnits.selector));
        this.trades(Position(0, 1, 0, 0), 0, -2);
    }

    function testFuzz_distance_is_of_claim_and_half(uint48 f, uint48 u, int80 paid) public pure {
        Position memory p = position(f, u, paid);
        (uint256 above, uint256 below) = p.distance();
        vm.assertTrue(above == 0 || below == 0, "one of them");
        eq(claimOf(p) + below, Law.HALF * p.single() + above, "distance");
        vm.assertLe(claimOf(p), Law.UNIT * p.single(), "a token a unit");
    }

    function testFuzz_a_void_pay_out_lies_between_claim_and_half(uint48 f, uint48 u, int80 paid, uint64 x, uint64 g)
        public
        pure
    {
        Position memory p = position(f, u, paid);
        (uint256 above, uint256 below) = p.distance();
        uint256 excess = above + x % 9e15;
        uint256 gap = below + g % 9e15;
        uint256 pay = p.voidPayout(excess, gap) - Law.UNIT * p.pairs();
        (uint256 least, uint256 most) =
            above > 0 ? (Law.HALF * p.single(), claimOf(p)) : (claimOf(p), Law.HALF * p.single());
        vm.assertGe(pay, least, "at least the smaller");
        vm.assertLe(pay, most, "at most the larger");
    }

    /// @dev The charge of a line beside the two counters that it stands for: worse off if FIXED, worse off if UNFIXED.
    function testFuzz_the_charge_is_the_larger_of_two_counters(
        uint16[2] calldata units,
        uint24 loss,
        int32 cash,
        int16[2] calldata changes
    ) public pure {
        Position memory p = Position(units[0], units[1], 0, loss);
        charges(p, cash, changes[0], changes[1]);
    }

    function test_the_charge_of_all_small_lines() public pure {
        for (uint48 f = 0; f < 3; ++f) {
            for (uint48 u = 0; u < 3; ++u) {
                for (int256 cash = -1500; cash <= 1500; cash += 500) {
                    for (int256 df = -2; df <= 2; ++df) {
                        for (int256 du = -2; du <= 2; ++du) {
                            charges(Position(f, u, 0, 700), cash, df, du);
                        }
                    }
                }
            }
        }
    }

    function charges(Position memory p, int256 cash, int256 df, int256 du) private pure {
        if (int256(uint256(p.fixedUnits)) + df < 0 || int256(uint256(p.unfixedUnits)) + du < 0) return;
        Position memory q = p.traded(cash, df, du);
        // Worse off by this if FIXED, by that if UNFIXED: the larger is the loss, and pairs are the difference.
        int256 sure = int256(1000 * p.pairs());
        int256 ifFixed = int256(uint256(p.loss)) + sure - 1000 * int256(uint256(p.fixedUnits)) - cash - 1000 * df;
        int256 ifUnfixed = int256(uint256(p.loss)) + sure - 1000 * int256(uint256(p.unfixedUnits)) - cash - 1000 * du;
        int256 larger = ifFixed > ifUnfixed ? ifFixed : ifUnfixed;
        vm.assertEq(int256(uint256(q.loss)), larger > 0 ? larger : int256(0), "loss");
        vm.assertEq(int256(q.netPaid), int256(p.netPaid) - (df == 0 && du == 0 ? int256(0) : cash), "net paid");
        vm.assertEq(int256(uint256(q.fixedUnits)), int256(uint256(p.fixedUnits)) + df, "FIXED");
        vm.assertEq(int256(uint256(q.unfixedUnits)), int256(uint256(p.unfixedUnits)) + du, "UNFIXED");
    }

    /// @dev Any holders whose units pair up: all of them together get what is held, less a mill each at most.
    function testFuzz_void_pays_what_is_held(uint16[6] calldata units, int24[6] calldata paid) public pure {
        Position[] memory all = new Position[](6);
        uint256 sides = 0;
        for (uint256 i = 0; i < 5; ++i) {
            bool fixedSide = i % 2 == 0;
            all[i] = Position(fixedSide ? units[i] : 0, fixedSide ? 0 : units[i], paid[i], 0);
            sides = fixedSide ? sides + units[i] : sides;
        }
        uint256 others = uint256(units[1]) + units[3];
        all[5] = Position(
            others > sides ? uint48(others - sides) : 0, sides > others ? uint48(sides - others) : 0, paid[5], 0
        );
        Book memory book = Book(0, 0, 0, 0);
        for (uint256 i = 0; i < 6; ++i) {
            (uint256 above, uint256 below) = all[i].distance();
            book.excess += above;
            book.gap += below;
            book.units += all[i].fixedUnits;
        }
        for (uint256 i = 0; i < 6; ++i) {
            book.paid += all[i].voidPayout(book.excess, book.gap);
        }
        vm.assertLe(book.paid, 1000 * book.units, "at most what is held");
        vm.assertGe(book.paid + 6, 1000 * book.units, "less a mill each at most");
    }
}
