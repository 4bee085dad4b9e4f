// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {Outcome} from "../src/interfaces/Types.sol";
import {Base} from "./support/Base.sol";

/// @title The worked examples of the market's law, to the mill.
contract ExamplesTest is Base {
    function setUp() public override {
        super.setUp();
        person(adam, PURSE);
        person(beth, PURSE);
        person(charles, PURSE);
        person(thief, PURSE);
        opens(M, START + 60 days);
        mint(M, beth, adam, 200, 200);
        settle();
    }

    function gains(address who, int256 mills) private view {
        vm.assertEq(int256(uint256(free(who))) - int256(uint256(PURSE)), mills, "gain");
        solvent(one(M));
    }

    function test_fixed_pays_the_developer() public {
        ends(M, Outcome.Fixed);
        gains(beth, 160_000);
        gains(adam, -160_000);
    }

    function test_unfixed_pays_the_funder() public {
        pass(60 days);
        ends(M, Outcome.Unfixed);
        gains(beth, -40_000);
        gains(adam, 40_000);
    }

    function test_partial_work_is_paid_whatever_happens_next() public {
        sellFixed(M, beth, charles, 200, 400);
        settle();
        ends(M, Outcome.Fixed);
        gains(beth, 40_000);
        gains(charles, 120_000);
        gains(adam, -160_000);
    }

    function test_both_leave_and_nothing_is_left() public {
        line(M, beth, 200 * 350, -200, 0);
        line(M, adam, 200 * 650, 0, -200);
        settle();
        gains(beth, 30_000);
        gains(adam, -30_000);
        eq(escrow.marketOf(M).units, 0, "open interest");
    }

    function test_void_of_the_base_case_gives_all_back() public {
        ends(M, Outcome.Void);
        gains(adam, 0);
        gains(beth, 0);
    }

    function test_void_after_a_sale_takes_what_is_missing_from_those_above_half() public {
        sellFixed(M, beth, charles, 200, 400);
        settle();
        ends(M, Outcome.Void);
        gains(adam, -40_000);
        gains(charles, 0);
        gains(beth, 40_000);
    }

    function test_void_after_a_sale_at_a_loss_gives_what_is_over_to_those_below_half() public {
        sellUnfixed(M, adam, charles, 200, 300);
        settle();
        ends(M, Outcome.Void);
        gains(charles, 0);
        gains(beth, 20_000);
        gains(adam, -20_000);
    }

    function test_void_of_a_wash_trade_cannot_touch_the_victim() public {
        opens(N, START + 60 days);
        mint(N, thief, stranger, 0, 0);
        person(stranger, PURSE);
        mint(N, thief, stranger, 5, 999);
        mint(N, thief, charles, 975, 200);
        settle();
        ends(N, Outcome.Void);
        eq(free(charles), PURSE, "the victim has all back");
    }

    function test_void_of_a_resale_to_oneself_is_the_worst() public {
        opens(N, START + 60 days);
        mint(N, thief, charles, 400, 200);
        settle();
        person(stranger, PURSE);
        sellFixed(N, thief, stranger, 400, 999);
        settle();
        ends(N, Outcome.Void);
        eq(free(charles), PURSE - 320_000 + 200_000, "half a token a unit");
    }

    function test_void_floors_and_the_dust_goes_to_the_sink() public {
        address dora = stranger;
        person(dora, PURSE);
        opens(N, START + 60 days);
        line(N, dora, -1000, 3, 0);
        line(N, beth, -1201, 0, 2);
        line(N, charles, -1300, 0, 1);
        line(N, thief, 501, 0, 0);
        settle();
        (uint64 bethHad, uint64 charlesHad) = (free(beth), free(charles));
        ends(N, Outcome.Void);
        eq(free(dora), PURSE, "who claims less than half has it back");
        eq(free(beth) - bethHad, 1143, "missing mills come from both");
        eq(free(charles) - charlesHad, 856, "floored");
        eq(free(sink), 1, "dust");
    }
}
