// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {IEscrowEvents} from "../src/interfaces/IEscrowEvents.sol";
import {Key, Outcome} from "../src/interfaces/Types.sol";
import {Base} from "./support/Base.sol";

/// @title Five keys, who may change them, and how long that takes. What is fixed at deployment.
contract KeysTest is Base {
    address private heir = vm.addr(0xC1);
    address private other = vm.addr(0xC2);

    function notHolder(Key key) private {
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotHolder.selector, key));
    }

    function failsFor(bytes4 why, Key key) private {
        vm.expectRevert(abi.encodeWithSelector(why, key));
    }

    function notDistinct(address who) private {
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotDistinct.selector, who));
    }

    // ---- deployment ----

    function test_what_is_fixed_at_deployment_is_readable() public view {
        vm.assertEq(escrow.holderOf(Key.Operator), operator, "operator");
        vm.assertEq(escrow.holderOf(Key.Oracle), oracle, "oracle");
        vm.assertEq(escrow.holderOf(Key.Arbiter), arbiter, "arbiter");
        vm.assertEq(escrow.holderOf(Key.Guardian), guardian, "guardian");
        vm.assertEq(escrow.holderOf(Key.Owner), owner, "owner");
        vm.assertEq(escrow.sink(), sink, "sink");
        vm.assertEq(escrow.token(), address(token), "token");
        eq(escrow.unitsPerMill(), MILL, "units per mill");
        eq(escrow.blocksPerDay(), BLOCKS_PER_DAY, "pace");
    }

    function test_five_different_keys_and_a_sink() public {
        address[5] memory holders = [operator, oracle, arbiter, guardian, owner];
        for (uint256 i = 0; i < 5; ++i) {
            address kept = holders[i];
            holders[i] = address(0);
            refused(holders, sink);
            holders[i] = sink;
            refused(holders, sink);
            holders[i] = holders[(i + 1) % 5];
            refused(holders, sink);
            holders[i] = kept;
        }
        refused(holders, address(0));
    }

    function refused(address[5] memory holders, address drain) private {
        try this.deployWithout(holders, drain) {
            vm.assertTrue(false, "deployed");
        } catch {}
    }

    function deployWithout(address[5] memory holders, address drain) external {
        deployWith(address(token), holders, drain, BLOCKS_PER_DAY);
    }

    function test_decimals_and_pace_are_checked() public {
        DecimalToken strange = new DecimalToken();
        for (uint8 decimals = 0; decimals < 60; ++decimals) {
            strange.set(decimals);
            try this.deployOn(address(strange), 1) returns (uint256 perMill) {
                vm.assertTrue(decimals >= 3 && decimals <= 36, "deployed");
                eq(perMill, 10 ** (decimals - 3), "units per mill");
            } catch {
                vm.assertTrue(decimals < 3 || decimals > 36, "refused");
            }
        }
        try this.deployOn(address(token), 0) {
            vm.assertTrue(false, "no blocks in a day");
        } catch {}
    }

    function deployOn(address currency, uint256 pace) external returns (uint256) {
        return deployWith(currency, [operator, oracle, arbiter, guardian, owner], sink, pace).unitsPerMill();
    }

    function test_the_code_can_be_deployed() public view {
        uint256 size = address(escrow).code.length;
        vm.assertLe(size, 24_576, "EIP-170");
        vm.assertGe(size, 1000, "is there");
    }

    // ---- pause ----

    function test_the_guardian_stops_and_the_owner_goes_on() public {
        vm.prank(owner);
        notHolder(Key.Guardian);
        escrow.pause();
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotPaused.selector));
        escrow.unpause();
        vm.prank(guardian);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.Paused();
        escrow.pause();
        vm.assertTrue(escrow.paused(), "paused");
        vm.startPrank(guardian);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.IsPaused.selector));
        escrow.pause();
        notHolder(Key.Owner);
        escrow.unpause();
        vm.stopPrank();
        vm.prank(owner);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.Unpaused();
        escrow.unpause();
        vm.assertTrue(!escrow.paused(), "goes on");
    }

    function test_a_pause_stops_deposits_and_batches_alone() public {
        person(adam, 5000);
        person(beth, 5000);
        opens(M, START + 10 days);
        mint(M, adam, beth, 5, 800);
        settle();
        vm.prank(guardian);
        escrow.pause();
        bytes memory isPaused = abi.encodeWithSelector(IEscrowEvents.IsPaused.selector);
        vm.startPrank(adam);
        vm.expectRevert(isPaused);
        escrow.deposit(1);
        vm.expectRevert(isPaused);
        escrow.depositFor(beth, 1);
        vm.expectRevert(isPaused);
        escrow.depositWithPermit(1, 0, 0, 0, 0);
        escrow.requestExit(1000);
        escrow.allow(0, 0);
        pass(1 days);
        escrow.exit(adam);
        escrow.lowerAllowance();
        vm.stopPrank();
        report(M, Outcome.Fixed);
        vm.prank(beth);
        escrow.challenge(M, false);
        vm.prank(arbiter);
        escrow.answer(M, false);
        pass(110 days);
        escrow.escape(M);
        redeem(M);
        eq(free(beth), 5000, "paid");
    }

    // ---- revoke ----

    function test_the_guardian_takes_power_away_at_once() public {
        Key[3] memory hot = [Key.Operator, Key.Oracle, Key.Arbiter];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(owner);
            notHolder(Key.Guardian);
            escrow.revoke(hot[i]);
            vm.expectEmit(address(escrow));
            emit IEscrowEvents.Revoked(hot[i], escrow.holderOf(hot[i]));
            vm.prank(guardian);
            escrow.revoke(hot[i]);
            vm.assertEq(escrow.holderOf(hot[i]), address(0), "nobody");
        }
        vm.startPrank(guardian);
        failsFor(IEscrowEvents.NotOfGuardian.selector, Key.Guardian);
        escrow.revoke(Key.Guardian);
        failsFor(IEscrowEvents.NotOfGuardian.selector, Key.Owner);
        escrow.revoke(Key.Owner);
    }

    function test_nobody_holds_a_revoked_key() public {
        vm.prank(guardian);
        escrow.revoke(Key.Oracle);
        vm.prank(oracle);
        notHolder(Key.Oracle);
        escrow.report(M, Outcome.Fixed, 0);
        vm.prank(owner);
        escrow.appoint(Key.Oracle, oracle);
        pass(7 days);
        vm.prank(oracle);
        escrow.take(Key.Oracle);
        vm.assertEq(escrow.holderOf(Key.Oracle), oracle, "once it was appointed anew");
    }

    // ---- appoint, strike, take ----

    function test_a_key_is_taken_a_week_after_the_appointment() public {
        vm.prank(owner);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.Appointed(Key.Owner, heir);
        escrow.appoint(Key.Owner, heir);
        (address holder, uint48 since, uint48 blockNumber) = escrow.appointmentOf(Key.Owner);
        vm.assertEq(holder, heir, "heir");
        eq(since, START, "since");
        eq(blockNumber, 20_000_000, "since this block");
        pass(7 days - 12);
        vm.prank(heir);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.TooEarly.selector));
        escrow.take(Key.Owner);
        pass(12);
        vm.prank(other);
        failsFor(IEscrowEvents.NotAppointed.selector, Key.Owner);
        escrow.take(Key.Owner);
        vm.prank(heir);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.Taken(Key.Owner, heir);
        escrow.take(Key.Owner);
        vm.prank(owner);
        notHolder(Key.Owner);
        escrow.appoint(Key.Owner, other);
        vm.prank(heir);
        failsFor(IEscrowEvents.NotAppointed.selector, Key.Owner);
        escrow.take(Key.Owner);
    }

    function test_the_guardians_successor_waits_thirty_days_and_cannot_be_struck() public {
        vm.prank(owner);
        escrow.appoint(Key.Guardian, heir);
        vm.prank(guardian);
        failsFor(IEscrowEvents.NotOfGuardian.selector, Key.Guardian);
        escrow.strike(Key.Guardian);
        pass(30 days - 12);
        vm.prank(heir);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.TooEarly.selector));
        escrow.take(Key.Guardian);
        pass(12);
        vm.prank(heir);
        escrow.take(Key.Guardian);
        vm.assertEq(escrow.holderOf(Key.Guardian), heir, "guardian");
    }

    function test_the_guardian_strikes_appointments() public {
        vm.prank(owner);
        escrow.appoint(Key.Operator, heir);
        vm.prank(owner);
        notHolder(Key.Guardian);
        escrow.strike(Key.Operator);
        vm.startPrank(guardian);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.Struck(Key.Operator, heir);
        escrow.strike(Key.Operator);
        failsFor(IEscrowEvents.NotAppointed.selector, Key.Operator);
        escrow.strike(Key.Operator);
        vm.stopPrank();
        pass(30 days);
        vm.prank(heir);
        failsFor(IEscrowEvents.NotAppointed.selector, Key.Operator);
        escrow.take(Key.Operator);
    }

    function test_keys_stay_different() public {
        vm.startPrank(owner);
        notDistinct(oracle);
        escrow.appoint(Key.Operator, oracle);
        notDistinct(sink);
        escrow.appoint(Key.Operator, sink);
        notDistinct(address(0));
        escrow.appoint(Key.Operator, address(0));
        escrow.appoint(Key.Operator, heir);
        escrow.appoint(Key.Arbiter, heir);
        vm.stopPrank();
        pass(7 days);
        vm.startPrank(heir);
        escrow.take(Key.Operator);
        notDistinct(heir);
        escrow.take(Key.Arbiter);
        vm.stopPrank();
    }

    function test_a_chain_that_stood_still_leaves_time_to_strike() public {
        vm.prank(owner);
        escrow.appoint(Key.Oracle, heir);
        halt(8 days);
        vm.prank(heir);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.TooEarly.selector));
        escrow.take(Key.Oracle);
    }

    function test_only_the_owner_appoints() public {
        vm.prank(guardian);
        notHolder(Key.Owner);
        escrow.appoint(Key.Operator, heir);
    }
}

contract DecimalToken {
    uint8 public decimals;

    function set(uint8 count) external {
        decimals = count;
    }
}
