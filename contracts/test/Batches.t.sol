// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {IEscrowEvents} from "../src/interfaces/IEscrowEvents.sol";
import {Key, Line, Market, Opening, Outcome, Position, Status} from "../src/interfaces/Types.sol";
import {Law} from "../src/Law.sol";
import {Base} from "./support/Base.sol";

/// @title What a batch may do, and what it may not.
contract BatchesTest is Base {
    function setUp() public override {
        super.setUp();
        person(adam, 500_000, 100_000);
        person(beth, 500_000, 100_000);
        person(charles, 500_000, 100_000);
        opens(M, START + 60 days);
        settle();
    }

    function why(bytes4 selector, address who) private pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, who);
    }

    function why(bytes4 selector, bytes32 market) private pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, market);
    }

    // ---- number and seal ----

    function test_a_batch_follows_on_and_anchors_the_seal() public {
        eq(escrow.batchNumber(), 1, "number");
        vm.assertEq(escrow.lastSeal(), sealOf(1), "seal");
        mint(M, adam, beth, 10, 400);
        (Opening[] memory openings, bytes32[] memory markets, Line[] memory lines) = batch();
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.BatchSettled(2, sealOf(1), sealOf(2), 2);
        settleRaw(openings, markets, lines);
        eq(escrow.batchNumber(), 2, "number");
        bytes memory notNext = abi.encodeWithSelector(IEscrowEvents.NotNext.selector, uint64(2), sealOf(2));
        vm.startPrank(operator);
        vm.expectRevert(notNext);
        escrow.settleBatch(2, sealOf(1), sealOf(2), openings, markets, lines);
        vm.expectRevert(notNext);
        escrow.settleBatch(4, sealOf(2), sealOf(4), openings, markets, lines);
        vm.expectRevert(notNext);
        escrow.settleBatch(3, sealOf(1), sealOf(3), openings, markets, lines);
    }

    function test_only_the_operator_settles_and_not_in_a_pause() public {
        (Opening[] memory openings, bytes32[] memory markets, Line[] memory lines) = batch();
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotHolder.selector, Key.Operator));
        escrow.settleBatch(2, sealOf(1), sealOf(2), openings, markets, lines);
        vm.prank(guardian);
        escrow.pause();
        settleRawFails(openings, markets, lines, abi.encodeWithSelector(IEscrowEvents.IsPaused.selector));
    }

    // ---- openings ----

    function test_a_market_opens_in_the_batch_that_needs_it() public {
        opens(N, START + 733 days);
        mint(N, adam, beth, 10, 400);
        (Opening[] memory openings, bytes32[] memory markets, Line[] memory lines) = batch();
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.MarketOpened(N, openings[0].termsHash, uint40(START + 733 days));
        settleRaw(openings, markets, lines);
        Market memory market = escrow.marketOf(N);
        eq(uint256(market.status), uint256(Status.Open), "open");
        eq(market.maturation, START + 733 days, "maturation");
        eq(market.units, 10, "open interest");
        eq(market.escapeBlock, 20_000_000 + (733 + 90) * BLOCKS_PER_DAY, "escape");
    }

    function test_a_market_opens_once_and_at_most_so_far_away() public {
        opens(M, START + 60 days);
        settleFails(why(IEscrowEvents.IsKnown.selector, M));
        opens(N, START + 733 days + 1);
        settleFails(abi.encodeWithSelector(IEscrowEvents.BadMaturation.selector, uint40(START + 733 days + 1)));
        opens(N, START - 7 days - 1);
        settleFails(abi.encodeWithSelector(IEscrowEvents.BadMaturation.selector, uint40(START - 7 days - 1)));
        opens(N, START - 7 days);
        mint(N, adam, beth, 1, 500);
        settle();
        eq(escrow.marketOf(N).units, 1, "a week late");
        eq(escrow.marketOf(N).escapeBlock, 20_000_000 + 83 * BLOCKS_PER_DAY, "escape counts from maturation");
    }

    function test_lines_are_taken_for_a_week_after_maturation_and_never_later() public {
        pass(67 days);
        mint(M, adam, beth, 1, 500);
        settle();
        pass(1);
        mint(M, adam, beth, 1, 500);
        settleFails(why(IEscrowEvents.NotOpen.selector, M));
    }

    function test_lines_need_a_market_that_is_open() public {
        mint(N, adam, beth, 1, 500);
        settleFails(why(IEscrowEvents.NotOpen.selector, N));
        report(M, Outcome.Fixed);
        mint(M, adam, beth, 1, 500);
        settleFails(why(IEscrowEvents.NotOpen.selector, M));
    }

    function test_lines_are_taken_for_a_week_after_the_allowance_and_never_later() public {
        address dora = stranger;
        person(dora, 1000, 0);
        vm.prank(dora);
        escrow.allow(1000, uint40(START + 10 days));
        pass(17 days);
        mint(M, dora, beth, 1, 500);
        settle();
        pass(1);
        mint(M, dora, beth, 1, 500);
        settleFails(why(IEscrowEvents.NotAllowed.selector, dora));
    }

    // ---- order ----

    function test_markets_and_accounts_ascend() public {
        opens(N, START + 60 days);
        settle();
        Line[] memory none = new Line[](0);
        bytes32[] memory markets = new bytes32[](2);
        bytes memory notAscending = abi.encodeWithSelector(IEscrowEvents.NotAscending.selector);
        (markets[0], markets[1]) = (N, M);
        settleRawFails(new Opening[](0), markets, none, notAscending);
        (markets[0], markets[1]) = (M, M);
        settleRawFails(new Opening[](0), markets, none, notAscending);
        (markets[0], markets[1]) = (M, N);
        settleRaw(new Opening[](0), markets, none);
        mint(M, adam, beth, 10, 400);
        (,, Line[] memory lines) = batch();
        (lines[0], lines[1]) = (lines[1], lines[0]);
        settleRawFails(new Opening[](0), markets, lines, notAscending);
        lines = new Line[](1);
        settleRawFails(new Opening[](0), markets, lines, notAscending);
    }

    function test_an_account_comes_once() public {
        Line[] memory lines = new Line[](3);
        (address low, address high) = adam < beth ? (adam, beth) : (beth, adam);
        lines[0] = Line(low, 0, -400, 1, 0);
        lines[1] = Line(high, 0, -600, 0, 1);
        lines[2] = Line(low, 0, 0, 0, 0);
        settleRawFails(new Opening[](0), one(M), lines, abi.encodeWithSelector(IEscrowEvents.NotAscending.selector));
    }

    function test_a_line_names_a_market_of_the_list() public {
        Line[] memory lines = new Line[](1);
        lines[0] = Line(adam, 1, 0, 0, 0);
        settleRawFails(new Opening[](0), one(M), lines, abi.encodeWithSignature("Panic(uint256)", 0x32));
    }

    // ---- conservation ----

    function test_units_and_cash_add_up_in_each_market() public {
        bytes memory notConserved = why(IEscrowEvents.NotConserved.selector, M);
        line(M, adam, -400, 1, 0);
        line(M, beth, -600, 0, 2);
        settleFails(notConserved);
        line(M, adam, -400, 1, 0);
        line(M, beth, -599, 0, 1);
        settleFails(notConserved);
        line(M, adam, -400, 1, 0);
        line(M, beth, -601, 0, 1);
        settleFails(notConserved);
        opens(N, START + 60 days);
        line(M, adam, -400, 1, 0);
        line(M, beth, -500, 0, 1);
        line(N, charles, -100, 0, 0);
        settleFails(notConserved);
    }

    function test_nobody_falls_below_no_units_or_no_cash() public {
        mint(M, adam, beth, 10, 400);
        settle();
        sellFixed(M, adam, charles, 11, 400);
        settleFails(abi.encodeWithSelector(Law.TooFewUnits.selector));
        sellUnfixed(M, beth, charles, 11, 400);
        settleFails(abi.encodeWithSelector(Law.TooFewUnits.selector));
        vm.prank(adam);
        escrow.allow(10_000_000, FAR);
        line(M, adam, -496_001, 0, 0);
        line(M, sink, 496_001, 0, 0);
        settleFails(why(IEscrowEvents.NotFree.selector, adam));
        line(M, adam, -496_000, 0, 0);
        line(M, sink, 496_000, 0, 0);
        settle();
        eq(free(adam), 0, "to the last mill");
    }

    function test_cash_of_an_account_is_summed_over_its_markets() public {
        opens(N, START + 60 days);
        vm.prank(adam);
        escrow.allow(900_000, FAR);
        line(M, adam, -600_000, 0, 0);
        line(M, beth, 600_000, 0, 0);
        line(N, adam, 200_000, 0, 0);
        line(N, beth, -200_000, 0, 0);
        vm.prank(beth);
        escrow.allow(900_000, FAR);
        settle();
        eq(free(adam), 100_000, "checked at the end");
    }

    function test_cyclic_netting() public {
        opens(N, START + 60 days);
        mint(M, adam, beth, 10, 400);
        mint(M, beth, charles, 10, 400);
        mint(M, charles, adam, 10, 400);
        mint(N, adam, beth, 7, 100);
        settle();
        holds(M, adam, 10, 10);
        eq(used(adam), 700, "pairs cost nothing");
        line(M, adam, 10_000, -10, -10);
        line(M, beth, 10_000, -10, -10);
        line(M, charles, 10_000, -10, -10);
        settle();
        eq(escrow.marketOf(M).units, 0, "no open interest");
        eq(free(adam), 500_000 - 700, "all back");
        eq(free(beth), 500_000 - 6300, "all back");
        eq(free(charles), 500_000, "all back");
        bytes32[] memory both = new bytes32[](2);
        (both[0], both[1]) = (M, N);
        solvent(both);
    }

    // ---- what trading may cost ----

    function test_no_line_costs_more_than_is_allowed() public {
        mint(M, adam, beth, 100, 1000);
        settle();
        eq(used(adam), 100_000, "all of it");
        mint(M, adam, beth, 1, 1);
        settleFails(why(IEscrowEvents.LossTooLarge.selector, adam));
        mint(M, adam, beth, 1, 0);
        settle();
        eq(used(adam), 100_000, "what costs nothing is no loss");
        eq(used(beth), 1000, "the other side's loss");
    }

    function test_a_line_that_lowers_what_is_used_is_taken_above_the_limit() public {
        mint(M, adam, beth, 100, 800);
        settle();
        vm.startPrank(adam);
        escrow.allow(10, FAR);
        pass(1 days);
        escrow.lowerAllowance();
        vm.stopPrank();
        sellFixed(M, adam, charles, 50, 700);
        settle();
        eq(used(adam), 80_000 - 35_000, "less");
        sellFixed(M, adam, charles, 10, 0);
        settle();
        eq(used(adam), 80_000 - 35_000, "as much");
        mint(M, adam, beth, 1, 1);
        settleFails(why(IEscrowEvents.LossTooLarge.selector, adam));
    }

    function test_both_sides_of_a_pair_are_safe() public {
        mint(M, adam, beth, 10, 400);
        mint(M, charles, adam, 10, 300);
        settle();
        eq(used(adam), 1000, "4 000 and 7 000 paid for ten tokens");
        eq(used(beth), 6000, "beth");
        eq(used(charles), 3000, "charles");
    }

    function test_a_sure_gain_is_no_room_for_a_loss() public {
        vm.prank(beth);
        escrow.allow(200_000, FAR);
        mint(M, adam, beth, 100, 100);
        settle();
        sellFixed(M, adam, charles, 100, 900);
        settle();
        eq(used(adam), 0, "80 000 won");
        Position memory position = escrow.positionOf(M, adam);
        vm.assertEq(int256(position.netPaid), -80_000, "net paid");
        eq(position.loss, 0, "cut off");
        mint(M, adam, beth, 100, 300);
        settle();
        eq(used(adam), 30_000, "a loss counts from there");
    }

    function test_forty_profitable_round_trips_use_no_allowance() public {
        for (uint256 i = 0; i < 40; ++i) {
            mint(M, adam, beth, 10, 400);
            settle();
            sellFixed(M, adam, charles, 10, 401);
            settle();
            line(M, charles, 401 * 10, -10, 0);
            line(M, beth, 599 * 10, 0, -10);
            settle();
        }
        eq(used(adam), 0, "adam");
        eq(free(adam), 500_400, "free");
    }

    function test_the_sink_needs_no_allowance() public {
        line(M, adam, -5000, 0, 0);
        line(M, sink, 5000, 0, 0);
        settle();
        eq(free(sink), 5000, "a bond that was lost");
        eq(used(adam), 5000, "costs its owner");
        vm.assertEq(int256(escrow.positionOf(M, adam).netPaid), 0, "is no price of a unit");
        line(M, sink, -5000, 0, 0);
        line(M, adam, 5000, 0, 0);
        settle();
        eq(used(adam), 0, "and back");
    }

    function test_a_line_takes_amounts_to_their_ends() public {
        line(M, adam, type(int64).min, 0, 0);
        settleFails(why(IEscrowEvents.NotFree.selector, adam));
        line(M, adam, 0, type(int64).max, 0);
        vm.prank(operator);
        (Opening[] memory openings, bytes32[] memory markets, Line[] memory lines) = batch();
        vm.expectRevert();
        escrow.settleBatch(2, sealOf(1), sealOf(2), openings, markets, lines);
    }
}
