// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {IEscrowEvents} from "../src/interfaces/IEscrowEvents.sol";
import {Key, Market, Outcome, Position, Status} from "../src/interfaces/Types.sol";
import {Base} from "./support/Base.sol";

/// @title Reports, challenges, answers, the way out, and pay.
contract OutcomesTest is Base {
    function setUp() public override {
        super.setUp();
        person(adam, PURSE);
        person(beth, PURSE);
        person(charles, PURSE);
        opens(M, START + 60 days);
        mint(M, beth, adam, 200, 200);
        settle();
    }

    function challenges(address who, bool fromWallet) private {
        vm.prank(who);
        escrow.challenge(M, fromWallet);
    }

    function answers(bool stands) private {
        vm.prank(arbiter);
        escrow.answer(M, stands);
    }

    function fails(bytes4 why) private {
        vm.expectRevert(abi.encodeWithSelector(why));
    }

    function failsFor(bytes4 why) private {
        vm.expectRevert(abi.encodeWithSelector(why, M));
    }

    // ---- report ----

    function test_a_report_stands_a_day_later() public {
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.Reported(M, Outcome.Fixed, keccak256("evidence"));
        report(M, Outcome.Fixed);
        same(escrow.outcomeOf(M), Outcome.None, "not final");
        pass(1 days - 12);
        same(escrow.outcomeOf(M), Outcome.None, "not final");
        failsFor(IEscrowEvents.NotFinal.selector);
        redeem(M);
        pass(12);
        same(escrow.outcomeOf(M), Outcome.Fixed, "final");
        redeem(M);
        eq(free(beth), PURSE + 160_000, "paid");
    }

    function test_only_the_oracle_reports() public {
        vm.prank(operator);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotHolder.selector, Key.Oracle));
        escrow.report(M, Outcome.Fixed, 0);
    }

    function test_unfixed_is_reported_after_maturation() public {
        vm.startPrank(oracle);
        fails(IEscrowEvents.BadOutcome.selector);
        escrow.report(M, Outcome.None, 0);
        fails(IEscrowEvents.BadOutcome.selector);
        escrow.report(M, Outcome.Unfixed, 0);
        vm.warp(START + 60 days - 1);
        fails(IEscrowEvents.BadOutcome.selector);
        escrow.report(M, Outcome.Unfixed, 0);
        vm.warp(START + 60 days);
        escrow.report(M, Outcome.Unfixed, 0);
        failsFor(IEscrowEvents.NotOpen.selector);
        escrow.report(M, Outcome.Fixed, 0);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotOpen.selector, N));
        escrow.report(N, Outcome.Fixed, 0);
    }

    // ---- challenge ----

    function test_the_bond_is_fifty_mills_a_unit_and_at_least_a_token() public {
        eq(escrow.bondOf(M), 200 * 50, "50 mills a unit");
        opens(N, START + 60 days);
        mint(N, beth, adam, 20, 200);
        settle();
        eq(escrow.bondOf(N), 1000, "20 units");
        mint(N, beth, adam, 1, 200);
        settle();
        eq(escrow.bondOf(N), 1050, "21 units");
        eq(escrow.bondOf(bytes32(0)), 1000, "none");
    }

    function test_a_challenge_that_loses_gives_its_bond_to_the_sink() public {
        report(M, Outcome.Fixed);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.Challenged(M, charles, 10_000);
        challenges(charles, false);
        eq(free(charles), PURSE - 10_000, "bond");
        pass(2 days);
        same(escrow.outcomeOf(M), Outcome.None, "not final while challenged");
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.Answered(M, true);
        answers(true);
        same(escrow.outcomeOf(M), Outcome.Fixed, "final at once");
        redeem(M);
        eq(free(sink), 10_000, "bond");
        eq(free(charles), PURSE - 10_000, "lost");
        solvent(one(M));
    }

    function test_a_challenge_that_wins_opens_the_market_again() public {
        report(M, Outcome.Void);
        challenges(charles, false);
        answers(false);
        eq(free(charles), PURSE, "bond back");
        eq(uint256(escrow.marketOf(M).status), uint256(Status.Open), "open");
        same(escrow.outcomeOf(M), Outcome.None, "no outcome");
        mint(M, beth, adam, 1, 200);
        settle();
        ends(M, Outcome.Fixed);
        eq(free(sink), 0, "no bond");
        solvent(one(M));
    }

    function test_a_challenge_from_the_wallet_goes_on_in_a_pause() public {
        wallet(stranger, 10_000);
        uint256 had = token.balanceOf(stranger);
        report(M, Outcome.Void);
        vm.prank(guardian);
        escrow.pause();
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotFree.selector, stranger));
        escrow.challenge(M, false);
        challenges(stranger, true);
        eq(had - token.balanceOf(stranger), 10_000 * MILL, "bond");
        solvent(one(M));
        answers(false);
        eq(free(stranger), 10_000, "bond back");
        solvent(one(M));
    }

    function test_a_challenge_comes_within_the_day_and_once() public {
        vm.prank(charles);
        failsFor(IEscrowEvents.NotReported.selector);
        escrow.challenge(M, false);
        report(M, Outcome.Fixed);
        pass(1 days - 12);
        challenges(charles, false);
        vm.prank(charles);
        failsFor(IEscrowEvents.NotReported.selector);
        escrow.challenge(M, false);
        answers(false);
        report(M, Outcome.Fixed);
        pass(1 days);
        vm.prank(charles);
        fails(IEscrowEvents.TooLate.selector);
        escrow.challenge(M, false);
        failsFor(IEscrowEvents.NotChallenged.selector);
        vm.prank(arbiter);
        escrow.answer(M, false);
    }

    function test_only_the_arbiter_answers() public {
        report(M, Outcome.Fixed);
        challenges(charles, false);
        vm.prank(oracle);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotHolder.selector, Key.Arbiter));
        escrow.answer(M, true);
    }

    function test_a_chain_that_stood_still_leaves_time_to_challenge() public {
        report(M, Outcome.Fixed);
        halt(3 days);
        same(escrow.outcomeOf(M), Outcome.None, "not final");
        challenges(charles, false);
    }

    // ---- escape ----

    function test_no_report_for_90_days_is_void() public {
        pass(150 days - 12);
        fails(IEscrowEvents.TooEarly.selector);
        escrow.escape(M);
        pass(12);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.Escaped(M);
        escrow.escape(M);
        same(escrow.outcomeOf(M), Outcome.Void, "final");
        redeem(M);
        eq(free(adam), PURSE, "adam");
        eq(free(beth), PURSE, "beth");
    }

    function test_a_chain_that_stood_still_over_maturation_leaves_time_to_report() public {
        pass(59 days);
        halt(92 days);
        fails(IEscrowEvents.TooEarly.selector);
        escrow.escape(M);
        pass(91 days - 24);
        fails(IEscrowEvents.TooEarly.selector);
        escrow.escape(M);
        pass(24);
        escrow.escape(M);
        same(escrow.outcomeOf(M), Outcome.Void, "final");
    }

    function test_a_report_is_never_escaped() public {
        pass(60 days);
        report(M, Outcome.Unfixed);
        pass(200 days);
        failsFor(IEscrowEvents.NotOpen.selector);
        escrow.escape(M);
        redeem(M);
        failsFor(IEscrowEvents.NotOpen.selector);
        escrow.escape(M);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotOpen.selector, N));
        escrow.escape(N);
    }

    function test_a_challenge_unanswered_for_30_days_is_void() public {
        report(M, Outcome.Fixed);
        challenges(charles, false);
        pass(30 days - 12);
        fails(IEscrowEvents.TooEarly.selector);
        escrow.escape(M);
        vm.warp(time() + 12);
        fails(IEscrowEvents.TooEarly.selector);
        escrow.escape(M);
        pass(12);
        escrow.escape(M);
        same(escrow.outcomeOf(M), Outcome.Void, "final");
        eq(free(charles), PURSE, "bond back");
        failsFor(IEscrowEvents.NotChallenged.selector);
        answers(true);
        redeem(M);
        solvent(one(M));
    }

    function test_after_a_rejected_report_the_90_days_count_still() public {
        pass(151 days);
        report(M, Outcome.Fixed);
        challenges(charles, false);
        answers(false);
        escrow.escape(M);
        same(escrow.outcomeOf(M), Outcome.Void, "final");
    }

    // ---- pay ----

    function test_strangers_and_repeats_are_skipped() public {
        report(M, Outcome.Fixed);
        pass(1 days);
        address[] memory list = new address[](5);
        (list[0], list[1], list[2], list[3], list[4]) = (stranger, beth, beth, address(0), stranger);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.Redeemed(M, beth, 200_000);
        escrow.redeemMany(M, list);
        eq(free(beth), PURSE + 160_000, "once");
        eq(uint256(escrow.marketOf(M).paid), 200_000, "paid");
        escrow.redeemMany(M, list);
        eq(free(beth), PURSE + 160_000, "once");
        escrow.redeemMany(M, new address[](0));
        list[0] = adam;
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.Emptied(M, 0);
        escrow.redeemMany(M, list);
        Market memory market = escrow.marketOf(M);
        eq(market.fixedGone, 200, "FIXED");
        eq(market.unfixedGone, 200, "UNFIXED");
        vm.recordLogs();
        escrow.redeemMany(M, list);
        eq(vm.getRecordedLogs().length, 0, "nobody is left, and nothing is told");
        solvent(one(M));
    }

    function test_dust_leaves_with_the_last_holder_and_not_before() public {
        ends(M, Outcome.Void, beth);
        eq(free(beth), PURSE, "the first is paid");
        eq(free(sink), 0, "no dust while others wait");
        redeem(M);
        eq(free(adam), PURSE, "and so is the last");
        eq(free(sink), 0, "no dust");
        solvent(one(M));
    }

    function test_dust_leaves_with_the_last_holder_of_the_other_side_too() public {
        ends(M, Outcome.Void, adam);
        eq(free(adam), PURSE, "the first is paid");
        eq(free(sink), 0, "no dust while others wait");
        redeem(M);
        eq(free(beth), PURSE, "and so is the last");
    }

    function ends(bytes32 market, Outcome outcome, address who) private {
        report(market, outcome);
        pass(1 days);
        address[] memory alone = new address[](1);
        alone[0] = who;
        escrow.redeemMany(market, alone);
    }

    function test_what_is_used_becomes_the_real_loss() public {
        eq(used(adam), 160_000, "feared");
        eq(used(beth), 40_000, "feared");
        ends(M, Outcome.Fixed);
        eq(used(adam), 160_000, "lost");
        eq(used(beth), 0, "won");
    }

    function test_what_is_used_becomes_the_real_loss_of_a_void() public {
        sellFixed(M, beth, charles, 200, 400);
        settle();
        eq(used(beth), 0, "sold for more");
        ends(M, Outcome.Void);
        eq(used(adam), 40_000, "adam");
        eq(used(charles), 0, "charles");
    }

    function test_what_a_holder_would_get_is_readable() public view {
        eq(escrow.payoutOf(M, beth, Outcome.Fixed), 200_000, "FIXED");
        eq(escrow.payoutOf(M, beth, Outcome.Unfixed), 0, "UNFIXED");
        eq(escrow.payoutOf(M, beth, Outcome.Void), 40_000, "VOID");
        eq(escrow.payoutOf(M, adam, Outcome.Unfixed), 200_000, "UNFIXED");
    }

    // ---- units that move ----

    function welcome(address who) private {
        vm.prank(who);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.UnitsWelcome(who, true);
        escrow.takeUnits(true);
    }

    function test_units_move_with_their_part_of_the_net_paid() public {
        welcome(stranger);
        vm.startPrank(beth);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.UnitExitRequested(M, beth, stranger, true, 150);
        escrow.requestExitUnits(M, true, 150, stranger);
        pass(1 days - 12);
        fails(IEscrowEvents.TooEarly.selector);
        escrow.exitUnits(M);
        pass(12);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.UnitsExited(M, beth, stranger, true, 150, 30_000);
        escrow.exitUnits(M);
        fails(IEscrowEvents.NotRequested.selector);
        escrow.exitUnits(M);
        vm.stopPrank();
        holds(M, beth, 50, 0);
        holds(M, stranger, 150, 0);
        eq(used(beth), 10_000, "beth fears for the rest");
        eq(used(stranger), 0, "a gift costs nothing");
        vm.assertEq(int256(escrow.positionOf(M, stranger).netPaid), 30_000, "net paid");
        ends(M, Outcome.Void);
        eq(free(stranger), 30_000, "the claim went with them");
        eq(free(adam), PURSE, "nobody else is touched");
        solvent(one(M));
    }

    function test_the_sums_of_the_law_follow_units_that_move() public {
        welcome(stranger);
        Market memory market = escrow.marketOf(M);
        eq(market.excess, 60_000, "adam claims 160 000, half is 100 000");
        eq(market.gap, 60_000, "beth claims 40 000");
        moves(adam, false, 50);
        market = escrow.marketOf(M);
        eq(market.excess, 60_000, "50 of 200 units take 40 000 of the claim along");
        eq(market.gap, 60_000, "beth has not moved");
        moves(beth, true, 199);
        market = escrow.marketOf(M);
        // The stranger pairs 50 units: of 79 800 net paid 50 000 are worth as much, and 29 800 are claimed for 149 units.
        eq(market.excess, 45_000, "adam's 120 000 for 150 units");
        eq(market.gap, 74_500 - 29_800 + 300, "the stranger's, and beth's one unit");
        ends(M, Outcome.Void);
        eq(free(stranger), 50_000 + 29_800, "what was paid for them");
        eq(free(sink), 0, "no dust");
        solvent(one(M));
    }

    function moves(address who, bool fixedSide, uint48 units) private {
        vm.prank(who);
        escrow.requestExitUnits(M, fixedSide, units, stranger);
        pass(1 days);
        vm.prank(who);
        escrow.exitUnits(M);
    }

    function test_units_move_to_who_takes_them_and_stop_at_the_end() public {
        vm.startPrank(beth);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.UnitsUnwelcome.selector, stranger));
        escrow.requestExitUnits(M, true, 1, stranger);
        vm.stopPrank();
        welcome(stranger);
        welcome(beth);
        vm.startPrank(beth);
        fails(IEscrowEvents.NothingAsked.selector);
        escrow.requestExitUnits(M, true, 0, stranger);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.BadReceiver.selector, beth));
        escrow.requestExitUnits(M, true, 1, beth);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NoUnits.selector, beth));
        escrow.requestExitUnits(M, true, 201, stranger);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NoUnits.selector, beth));
        escrow.requestExitUnits(M, false, 1, stranger);
        escrow.requestExitUnits(M, true, 200, stranger);
        pass(1 days);
        vm.stopPrank();
        vm.prank(stranger);
        escrow.takeUnits(false);
        vm.prank(beth);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.UnitsUnwelcome.selector, stranger));
        escrow.exitUnits(M);
        welcome(stranger);
        report(M, Outcome.Void);
        pass(1 days);
        vm.prank(beth);
        failsFor(IEscrowEvents.IsFinal.selector);
        escrow.exitUnits(M);
    }

    function test_units_that_a_batch_took_do_not_move() public {
        welcome(stranger);
        vm.prank(beth);
        escrow.requestExitUnits(M, true, 200, stranger);
        sellFixed(M, beth, charles, 180, 200);
        settle();
        pass(1 days);
        vm.prank(beth);
        escrow.exitUnits(M);
        holds(M, stranger, 20, 0);
        vm.prank(beth);
        fails(IEscrowEvents.NotRequested.selector);
        escrow.exitUnits(M);
        vm.prank(charles);
        escrow.requestExitUnits(M, true, 180, stranger);
        sellFixed(M, charles, beth, 180, 200);
        settle();
        pass(1 days);
        vm.prank(charles);
        fails(IEscrowEvents.NothingLeft.selector);
        escrow.exitUnits(M);
    }

    function test_pairs_do_not_move_and_a_gain_does_not_go_with_units() public {
        welcome(stranger);
        mint(M, adam, beth, 120, 900);
        settle();
        holds(M, beth, 200, 120);
        vm.prank(beth);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NoUnits.selector, beth));
        escrow.requestExitUnits(M, true, 81, stranger);
        vm.prank(beth);
        escrow.requestExitUnits(M, true, 80, stranger);
        pass(1 days);
        vm.prank(beth);
        escrow.exitUnits(M);
        Position memory position = escrow.positionOf(M, stranger);
        vm.assertEq(int256(position.netPaid), 0, "52 000 were paid for 120 tokens and 80 units");
        eq(position.loss, 0, "and nothing is feared");
        eq(escrow.marketOf(M).excess + escrow.marketOf(M).gap > 0 ? 1 : 0, 1, "the law goes on");
        ends(M, Outcome.Void);
        solvent(one(M));
    }

    function test_units_that_move_make_pairs_whose_worth_is_sure() public {
        welcome(adam);
        vm.prank(beth);
        escrow.requestExitUnits(M, true, 200, adam);
        pass(1 days);
        vm.prank(beth);
        escrow.exitUnits(M);
        holds(M, adam, 200, 200);
        eq(used(adam), 0, "nothing is at stake any more");
        eq(used(beth), 0, "the units are gone");
        pass(60 days);
        ends(M, Outcome.Unfixed);
        eq(free(adam), PURSE + 40_000, "200 tokens for 160");
    }
}
