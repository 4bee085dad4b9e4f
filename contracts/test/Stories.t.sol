// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {IEscrowEvents} from "../src/interfaces/IEscrowEvents.sol";
import {Key, Outcome} from "../src/interfaces/Types.sol";
import {Base} from "./support/Base.sol";

/// @title What a thief of each key can take, and that it is within the bound that docs/escrow.md states.
contract StoriesTest is Base {
    uint64 private constant LIMIT = 50_000;

    function setUp() public override {
        super.setUp();
        person(adam, PURSE, 300_000);
        person(beth, PURSE, LIMIT);
        person(charles, PURSE, 0);
        person(thief, PURSE);
        opens(M, START + 60 days);
        mint(M, beth, adam, 200, 200);
        settle();
    }

    function refused() private {
        (bool done,) = address(this).call(abi.encodeCall(this.settleNow, ()));
        vm.assertTrue(!done, "the chain takes it");
        batch(); // what was said is unsaid
    }

    function settleNow() external {
        settle();
    }

    /// @dev Nobody ends with less than they paid in, less what they allowed.
    function within(address who, uint64 allowed) private view {
        vm.assertGe(free(who), PURSE - allowed, "more was lost than was allowed");
    }

    // ---- operator ----

    function test_operator_stolen_sells_at_one_mill_within_what_was_allowed() public {
        sellFixed(M, beth, thief, 200, 1);
        settle();
        eq(used(beth), 40_000 - 200, "the units were bought for 40 000");
        mint(M, beth, thief, 10, 1000);
        settle();
        mint(M, beth, thief, 1, 1000);
        refused();
        sellFixed(M, beth, thief, 10, 0);
        settle();
        ends(M, Outcome.Fixed);
        within(beth, LIMIT);
        eq(PURSE - free(beth), 49_800, "lost");
        solvent(one(M));
    }

    function test_operator_stolen_cannot_wash_a_victim_who_allowed_nothing() public {
        mint(M, charles, thief, 1, 1);
        refused();
        line(M, charles, -1, 0, 0);
        line(M, thief, 1, 0, 0);
        refused();
        line(M, charles, 0, 0, 0);
        refused();
        eq(free(charles), PURSE, "untouched");
    }

    function test_operator_stolen_washes_a_gain_no_further_than_the_limit() public {
        sellFixed(M, beth, adam, 200, 900);
        settle();
        eq(free(beth), PURSE + 140_000, "a sure gain of 140 tokens");
        mint(M, beth, thief, 50, 1000);
        settle();
        mint(M, beth, thief, 1, 1);
        refused();
        sellFixed(M, beth, thief, 50, 0);
        settle();
        eq(free(beth), PURSE + 140_000 - LIMIT, "the gain stays, the limit is lost");
    }

    function test_operator_stolen_in_many_markets_loses_the_limit_once() public {
        uint256 lost = 0;
        for (uint256 i = 1; i <= 12; ++i) {
            bytes32 market = bytes32(0x1000 + i);
            opens(market, START + 60 days);
            uint256 left = LIMIT - used(beth);
            uint256 cash = left < 1000 ? left : 1000;
            line(market, beth, -int256(cash), 0, 0);
            line(market, thief, int256(cash), 0, 0);
            settle();
            lost += cash;
        }
        eq(used(beth), LIMIT, "all of it, once");
        eq(lost, 10_000, "beside what was at stake");
        line(M, beth, -1, 0, 0);
        line(M, thief, 1, 0, 0);
        refused();
    }

    function test_operator_stolen_cannot_sign_an_exit_alone() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(OPERATOR_KEY, escrow.exitHash(charles, thief, 1000, 1, time() + 600));
        bytes memory signature = abi.encodePacked(r, s, v);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.BadSignature.selector, charles));
        vm.prank(thief);
        escrow.exitNow(charles, thief, 1000, 1, time() + 600, signature, signature);
    }

    function test_operator_stolen_is_stopped_by_the_guardian() public {
        vm.prank(guardian);
        escrow.revoke(Key.Operator);
        sellFixed(M, beth, thief, 200, 1);
        refused();
        ends(M, Outcome.Fixed);
        eq(free(beth), PURSE + 160_000, "the market ends as it should");
    }

    function test_operator_gone_everybody_gets_out_alone() public {
        vm.startPrank(guardian);
        escrow.revoke(Key.Operator);
        escrow.revoke(Key.Oracle);
        escrow.revoke(Key.Arbiter);
        escrow.pause();
        vm.stopPrank();
        pass(150 days);
        vm.startPrank(stranger);
        escrow.escape(M);
        redeem(M);
        vm.stopPrank();
        address[4] memory all = [adam, beth, charles, thief];
        for (uint256 i = 0; i < 4; ++i) {
            vm.startPrank(all[i]);
            escrow.requestExit(free(all[i]));
            pass(1 days);
            escrow.exit(all[i]);
            vm.stopPrank();
            eq(token.balanceOf(all[i]) / MILL % PURSE, 0, "all of it");
        }
        eq(escrow.held(), 0, "nothing stays");
    }

    // ---- oracle, arbiter ----

    function test_oracle_stolen_early_is_challenged_and_turned() public {
        vm.prank(oracle);
        escrow.report(M, Outcome.Fixed, keccak256("a lie"));
        vm.prank(adam);
        escrow.challenge(M, false);
        vm.prank(guardian);
        escrow.revoke(Key.Oracle);
        vm.prank(arbiter);
        escrow.answer(M, false);
        eq(free(adam), PURSE - 160_000, "bond back");
        pass(150 days);
        escrow.escape(M);
        redeem(M);
        eq(free(adam), PURSE, "nothing was lost");
        eq(free(beth), PURSE, "nothing was lost");
    }

    function test_oracle_stolen_turns_an_outcome_where_nobody_watches_for_a_day() public {
        vm.prank(oracle);
        escrow.report(M, Outcome.Fixed, keccak256("a lie"));
        pass(1 days);
        redeem(M);
        eq(free(adam), PURSE - 160_000, "what was at stake, and no more");
        within(adam, 300_000);
    }

    function test_arbiter_stolen_delays_until_void_and_names_no_outcome() public {
        pass(60 days);
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(oracle);
            escrow.report(M, Outcome.Unfixed, keccak256("true"));
            vm.prank(thief);
            escrow.challenge(M, false);
            pass(29 days);
            vm.prank(arbiter);
            escrow.answer(M, false);
        }
        pass(3 days);
        escrow.escape(M);
        redeem(M);
        eq(free(adam), PURSE, "stake back");
        eq(free(beth), PURSE, "stake back");
        eq(free(thief), PURSE, "the thief has won nothing");
    }

    function test_arbiter_stolen_says_that_a_true_report_stands() public {
        report(M, Outcome.Fixed);
        vm.prank(adam);
        escrow.challenge(M, false);
        vm.prank(arbiter);
        escrow.answer(M, true);
        redeem(M);
        eq(free(beth), PURSE + 160_000, "as reported");
        eq(free(sink), 10_000, "the bond goes to the sink, not to the arbiter");
    }

    function test_oracle_and_arbiter_stolen_decide_outcomes_and_take_what_was_at_stake() public {
        vm.prank(oracle);
        escrow.report(M, Outcome.Fixed, keccak256("a lie"));
        vm.prank(adam);
        escrow.challenge(M, false);
        vm.prank(arbiter);
        escrow.answer(M, true);
        redeem(M);
        eq(free(adam), PURSE - 160_000 - 10_000, "the stake and the bond");
        eq(free(charles), PURSE, "who is in no market loses nothing");
        solvent(one(M));
    }

    // ---- guardian, owner ----

    function test_guardian_stolen_stops_trading_and_takes_nothing() public {
        vm.startPrank(guardian);
        escrow.pause();
        escrow.revoke(Key.Operator);
        escrow.revoke(Key.Oracle);
        escrow.revoke(Key.Arbiter);
        vm.stopPrank();
        vm.prank(owner);
        escrow.appoint(Key.Guardian, stranger);
        vm.prank(guardian);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotOfGuardian.selector, Key.Guardian));
        escrow.strike(Key.Guardian);
        pass(30 days);
        vm.prank(stranger);
        escrow.take(Key.Guardian);
        address[3] memory heirs = [vm.addr(0xC1), vm.addr(0xC2), vm.addr(0xC3)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(owner);
            escrow.appoint(Key(i), heirs[i]);
        }
        pass(7 days);
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(heirs[i]);
            escrow.take(Key(i));
        }
        vm.prank(owner);
        escrow.unpause();
        oracle = heirs[1];
        ends(M, Outcome.Fixed);
        eq(free(beth), PURSE + 160_000, "the market ends as it should");
    }

    function test_owner_stolen_is_held_by_the_guardian_for_37_days() public {
        address[3] memory helpers = [vm.addr(0xC1), vm.addr(0xC2), vm.addr(0xC3)];
        vm.startPrank(owner);
        escrow.appoint(Key.Oracle, helpers[0]);
        escrow.appoint(Key.Arbiter, helpers[1]);
        escrow.appoint(Key.Guardian, helpers[2]);
        vm.stopPrank();
        vm.startPrank(guardian);
        escrow.strike(Key.Oracle);
        escrow.strike(Key.Arbiter);
        vm.stopPrank();
        // Who sees it has a month to take out what is free.
        vm.startPrank(charles);
        escrow.requestExit(PURSE);
        pass(1 days);
        escrow.exit(charles);
        vm.stopPrank();
        pass(29 days);
        vm.prank(helpers[2]);
        escrow.take(Key.Guardian);
        vm.startPrank(owner);
        escrow.appoint(Key.Oracle, helpers[0]);
        escrow.appoint(Key.Arbiter, helpers[1]);
        vm.stopPrank();
        pass(7 days - 12);
        vm.prank(helpers[0]);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.TooEarly.selector));
        escrow.take(Key.Oracle);
        pass(12);
        vm.prank(helpers[0]);
        escrow.take(Key.Oracle);
        vm.prank(helpers[1]);
        escrow.take(Key.Arbiter);
        vm.prank(helpers[0]);
        escrow.report(M, Outcome.Fixed, keccak256("a lie"));
        pass(1 days);
        redeem(M);
        eq(free(adam), PURSE - 160_000, "open markets are taken, and nothing else");
    }

    function test_owner_and_guardian_stolen_take_open_markets_after_a_week() public {
        vm.prank(owner);
        escrow.appoint(Key.Oracle, vm.addr(0xC1));
        pass(7 days);
        vm.prank(vm.addr(0xC1));
        escrow.take(Key.Oracle);
        vm.prank(vm.addr(0xC1));
        escrow.report(M, Outcome.Fixed, keccak256("a lie"));
        vm.prank(guardian);
        escrow.revoke(Key.Arbiter);
        pass(1 days);
        redeem(M);
        eq(free(adam), PURSE - 160_000, "what was at stake");
        within(adam, 300_000);
        eq(free(charles), PURSE, "free money is out of reach");
    }

    function test_owner_stolen_cannot_touch_free_money() public {
        vm.prank(owner);
        vm.expectRevert();
        escrow.exit(owner);
        vm.prank(charles);
        escrow.requestExit(PURSE);
        pass(1 days);
        vm.prank(charles);
        escrow.exit(charles);
        eq(free(charles), 0, "out");
    }

    // ---- chain ----

    function test_three_days_without_blocks_over_a_maturation() public {
        pass(59 days);
        halt(3 days);
        mint(M, beth, adam, 10, 200);
        settle();
        report(M, Outcome.Unfixed);
        halt(1 days);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotFinal.selector, M));
        redeem(M);
        pass(1 days);
        redeem(M);
        eq(free(adam), PURSE + 42_000, "paid");
    }
}
