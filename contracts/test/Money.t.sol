// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {PlentyToken} from "./support/PlentyToken.sol";
import {IEscrowEvents} from "../src/interfaces/IEscrowEvents.sol";
import {Account, Key, Outcome} from "../src/interfaces/Types.sol";
import {Base} from "./support/Base.sol";

/// @title Deposits, allowances and the slow way out.
contract MoneyTest is Base {
    bytes32 private constant PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    function fails(bytes4 why) private {
        vm.expectRevert(abi.encodeWithSelector(why));
    }

    function test_deposit_moves_exactly_so_much() public {
        wallet(adam, 5000);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.Deposited(adam, adam, 1234);
        vm.prank(adam);
        escrow.deposit(1234);
        eq(free(adam), 1234, "free");
        eq(escrow.held(), 1234, "held");
        eq(token.balanceOf(address(escrow)), 1234 * MILL, "balance");
        eq(used(adam), 0, "used");
    }

    function test_deposit_for_somebody_else() public {
        wallet(adam, 5000);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.Deposited(beth, adam, 1000);
        vm.prank(adam);
        escrow.depositFor(beth, 1000);
        eq(free(beth), 1000, "free");
        eq(free(adam), 0, "not the payer's");
    }

    function test_deposit_of_nothing_or_to_nobody_is_refused() public {
        wallet(adam, 5000);
        vm.startPrank(adam);
        fails(IEscrowEvents.NothingAsked.selector);
        escrow.deposit(0);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.BadReceiver.selector, address(0)));
        escrow.depositFor(address(0), 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.BadReceiver.selector, address(escrow)));
        escrow.depositFor(address(escrow), 1);
        vm.expectRevert();
        escrow.deposit(5_000_000);
    }

    function test_deposits_stop_at_the_most_that_may_exist() public {
        PlentyToken plenty = new PlentyToken();
        escrow = deploy(address(plenty));
        escrow.depositFor(adam, 9e15 - 1);
        fails(IEscrowEvents.TooMuch.selector);
        escrow.depositFor(beth, 2);
        escrow.depositFor(beth, 1);
        eq(escrow.held(), 9e15, "held");
    }

    function permit(uint256 key, uint256 mills, uint256 deadline) private view returns (uint8, bytes32, bytes32) {
        address holder = vm.addr(key);
        bytes32 inner =
            keccak256(abi.encode(PERMIT, holder, address(escrow), mills * MILL, token.nonces(holder), deadline));
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), inner)));
    }

    function test_permit_makes_approval_needless_and_sending_it_ahead_does_no_harm() public {
        token.faucet(adam);
        (uint8 v, bytes32 r, bytes32 s) = permit(ADAM_KEY, 1000, time() + 1);
        vm.prank(adam);
        escrow.depositWithPermit(1000, time() + 1, v, r, s);
        eq(free(adam), 1000, "with permit alone");
        (v, r, s) = permit(ADAM_KEY, 500, time() + 1);
        IPermit(address(token)).permit(adam, address(escrow), 500 * MILL, time() + 1, v, r, s);
        vm.prank(adam);
        escrow.depositWithPermit(500, time() + 1, v, r, s);
        eq(free(adam), 1500, "permit was used ahead");
    }

    function test_a_wrong_permit_takes_nothing() public {
        token.faucet(adam);
        (uint8 v, bytes32 r, bytes32 s) = permit(OPERATOR_KEY, 1000, time() + 1);
        vm.prank(adam);
        vm.expectRevert();
        escrow.depositWithPermit(1000, time() + 1, v, r, s);
    }

    // ---- allowance ----

    function test_allowance_is_nothing_at_first() public {
        person(adam, 5000, 0);
        Account memory account = escrow.accountOf(adam);
        eq(account.maxLoss, 0, "maxLoss");
        eq(account.until, 0, "until");
    }

    function test_more_is_allowed_at_once() public {
        vm.startPrank(adam);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.Allowed(adam, 100, FAR);
        escrow.allow(100, FAR);
        escrow.allow(100, FAR + 1);
        escrow.allow(101, FAR + 1);
        Account memory account = escrow.accountOf(adam);
        eq(account.maxLoss, 101, "maxLoss");
        eq(account.until, FAR + 1, "until");
    }

    function test_less_is_allowed_a_day_later() public {
        vm.startPrank(adam);
        escrow.allow(100, FAR);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.LoweringRequested(adam, 99, FAR);
        escrow.allow(99, FAR);
        eq(escrow.accountOf(adam).maxLoss, 100, "not yet");
        pass(1 days - 12);
        fails(IEscrowEvents.TooEarly.selector);
        escrow.lowerAllowance();
        pass(12);
        escrow.lowerAllowance();
        eq(escrow.accountOf(adam).maxLoss, 99, "lower");
        fails(IEscrowEvents.NotRequested.selector);
        escrow.lowerAllowance();
    }

    function test_more_money_for_a_shorter_time_waits_as_a_whole() public {
        vm.startPrank(adam);
        escrow.allow(100, FAR);
        escrow.allow(500, FAR - 1);
        eq(escrow.accountOf(adam).maxLoss, 100, "not until the shorter time is in force");
        pass(1 days);
        escrow.lowerAllowance();
        eq(escrow.accountOf(adam).maxLoss, 500, "maxLoss");
        eq(escrow.accountOf(adam).until, FAR - 1, "until");
    }

    function test_a_wish_for_less_lapses_and_more_withdraws_it() public {
        vm.startPrank(adam);
        escrow.allow(100, FAR);
        escrow.allow(0, 0);
        pass(8 days - 12);
        (uint64 maxLoss,, uint48 asked,) = escrow.loweringOf(adam);
        eq(maxLoss, 0, "asked for");
        eq(asked, START, "since");
        pass(12);
        fails(IEscrowEvents.TooLate.selector);
        escrow.lowerAllowance();
        escrow.allow(0, 0);
        escrow.allow(100, FAR);
        pass(2 days);
        fails(IEscrowEvents.NotRequested.selector);
        escrow.lowerAllowance();
    }

    function test_once_no_line_can_use_it_any_allowance_begins_at_once() public {
        vm.startPrank(adam);
        escrow.allow(100, uint40(START + 10 days));
        pass(17 days);
        escrow.allow(1, uint40(START + 40 days));
        eq(escrow.accountOf(adam).maxLoss, 100, "lines are taken for 7 days still");
        pass(1);
        escrow.allow(1, uint40(START + 40 days));
        eq(escrow.accountOf(adam).maxLoss, 1, "at once");
    }

    // ---- the slow way out ----

    function test_exit_pays_a_day_later_whatever_the_operator_does() public {
        person(adam, 5000);
        vm.startPrank(adam);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.ExitRequested(adam, 4000);
        escrow.requestExit(4000);
        pass(1 days - 12);
        fails(IEscrowEvents.TooEarly.selector);
        escrow.exit(stranger);
        pass(12);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.Exited(adam, stranger, 4000);
        escrow.exit(stranger);
        eq(token.balanceOf(stranger), 4000 * MILL, "paid");
        eq(free(adam), 1000, "free");
        eq(escrow.held(), 1000, "held");
        fails(IEscrowEvents.NotRequested.selector);
        escrow.exit(stranger);
    }

    function test_exit_is_for_what_is_free_and_lapses() public {
        person(adam, 5000);
        vm.startPrank(adam);
        fails(IEscrowEvents.NothingAsked.selector);
        escrow.requestExit(0);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotFree.selector, adam));
        escrow.requestExit(5001);
        escrow.requestExit(5000);
        (uint64 mills, uint48 asked, uint48 blockNumber) = escrow.exitOf(adam);
        eq(mills, 5000, "asked for");
        eq(asked, START, "since");
        eq(blockNumber, 20_000_000, "since this block");
        pass(8 days - 12);
        pass(12);
        fails(IEscrowEvents.TooLate.selector);
        escrow.exit(adam);
        escrow.requestExit(5000);
        pass(8 days - 12);
        escrow.exit(adam);
        eq(free(adam), 0, "paid on the last block");
    }

    function test_exit_goes_to_a_wallet() public {
        person(adam, 5000);
        vm.startPrank(adam);
        escrow.requestExit(5000);
        pass(1 days);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.BadReceiver.selector, address(0)));
        escrow.exit(address(0));
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.BadReceiver.selector, address(escrow)));
        escrow.exit(address(escrow));
    }

    function test_exit_racing_a_batch_pays_what_is_left() public {
        person(adam, 5000);
        person(beth, 5000);
        vm.prank(adam);
        escrow.requestExit(5000);
        opens(M, START + 10 days);
        mint(M, adam, beth, 5, 800);
        settle();
        pass(1 days);
        vm.prank(adam);
        escrow.exit(adam);
        eq(token.balanceOf(adam), (1_000_000 - 5000 + 1000) * MILL, "what the batch left");
        holds(M, adam, 5, 0);
    }

    function test_exit_of_nothing_left_keeps_the_request() public {
        person(adam, 4000);
        person(beth, 5000);
        vm.prank(adam);
        escrow.requestExit(4000);
        opens(M, START + 10 days);
        mint(M, adam, beth, 5, 800);
        settle();
        pass(1 days);
        vm.prank(adam);
        fails(IEscrowEvents.NothingLeft.selector);
        escrow.exit(adam);
        ends(M, Outcome.Fixed);
        vm.prank(adam);
        escrow.exit(adam);
        eq(free(adam), 1000, "4 000 of 5 000 were asked for");
    }

    function test_everybody_leaves_and_nothing_stays() public {
        person(adam, 5000);
        person(beth, 7000);
        opens(M, START + 10 days);
        mint(M, adam, beth, 5, 800);
        settle();
        vm.prank(guardian);
        escrow.pause();
        vm.prank(guardian);
        escrow.revoke(Key.Operator);
        ends(M, Outcome.Void);
        goes(adam);
        goes(beth);
        eq(escrow.held(), 0, "held");
        eq(token.balanceOf(address(escrow)), 0, "balance");
    }

    function goes(address who) private {
        uint64 mills = free(who);
        vm.prank(who);
        escrow.requestExit(mills);
        pass(1 days);
        vm.prank(who);
        escrow.exit(who);
    }

    function test_a_chain_that_stood_still_has_given_nobody_time() public {
        person(adam, 5000);
        vm.startPrank(adam);
        escrow.requestExit(5000);
        halt(3 days);
        fails(IEscrowEvents.TooEarly.selector);
        escrow.exit(adam);
        halt(30 days);
        vm.roll(20_000_000 + BLOCKS_PER_DAY - 1);
        fails(IEscrowEvents.TooEarly.selector);
        escrow.exit(adam);
        vm.roll(20_000_000 + BLOCKS_PER_DAY);
        escrow.exit(adam);
        eq(free(adam), 0, "a day's blocks later");
    }

    function test_blocks_that_come_too_fast_give_no_time_either() public {
        person(adam, 5000);
        vm.startPrank(adam);
        escrow.requestExit(5000);
        vm.roll(30_000_000);
        vm.warp(START + 1 days - 1);
        fails(IEscrowEvents.TooEarly.selector);
        escrow.exit(adam);
    }

    // ---- the play token ----

    function test_the_faucet_gives_once_a_day() public {
        token.faucet(adam);
        eq(token.balanceOf(adam), 1_000 * 10 ** 18, "a thousand tokens");
        vm.expectRevert();
        token.faucet(adam);
        vm.warp(START + 1 days - 1);
        vm.expectRevert();
        token.faucet(adam);
        vm.warp(START + 1 days);
        token.faucet(adam);
        eq(token.balanceOf(adam), 2_000 * 10 ** 18, "another thousand");
    }
}

interface IPermit {
    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external;
}
