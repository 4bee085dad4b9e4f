// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {IBugMarkEscrow} from "../src/interfaces/IBugMarkEscrow.sol";
import {IEscrowEvents} from "../src/interfaces/IEscrowEvents.sol";
import {Key, Line, Opening, Outcome} from "../src/interfaces/Types.sol";
import {Base} from "./support/Base.sol";

/// @title A token that does what it should not: it calls back, takes a fee, pays too much, answers no.
contract HostileTest is Base {
    HostileToken private hostile;
    bytes private constant REENTERED = abi.encodeWithSignature("ReentrancyGuardReentrantCall()");

    function setUp() public override {
        super.setUp();
        hostile = new HostileToken();
        escrow = deploy(address(hostile));
        hostile.aim(address(escrow));
    }

    /// @dev The token calls back with `data` while the caller's money moves.
    function calling(bytes memory data) private {
        hostile.plan(data);
    }

    function doors() private view returns (bytes[] memory all) {
        all = new bytes[](6);
        all[0] = abi.encodeCall(IBugMarkEscrow.deposit, (1));
        all[1] = abi.encodeCall(IBugMarkEscrow.depositFor, (adam, 1));
        all[2] = abi.encodeCall(IBugMarkEscrow.depositWithPermit, (1, 0, 0, 0, 0));
        all[3] = abi.encodeCall(IBugMarkEscrow.exit, (adam));
        all[4] = abi.encodeCall(IBugMarkEscrow.exitNow, (address(hostile), adam, 1, 1, time(), "", ""));
        all[5] = abi.encodeCall(IBugMarkEscrow.challenge, (M, true));
    }

    function test_no_door_that_moves_money_opens_from_within_a_deposit() public {
        bytes[] memory all = doors();
        for (uint256 i = 0; i < all.length; ++i) {
            calling(all[i]);
            vm.prank(adam);
            vm.expectRevert(REENTERED);
            escrow.deposit(1000);
        }
        calling("");
        escrow.deposit(1000);
    }

    function test_no_door_that_moves_money_opens_from_within_an_exit() public {
        vm.prank(adam);
        escrow.deposit(1000);
        vm.prank(adam);
        escrow.requestExit(1000);
        pass(1 days);
        bytes[] memory all = doors();
        for (uint256 i = 0; i < all.length; ++i) {
            calling(all[i]);
            vm.prank(adam);
            vm.expectRevert(REENTERED);
            escrow.exit(adam);
        }
    }

    function test_no_door_that_moves_money_opens_from_within_a_signed_exit() public {
        vm.prank(adam);
        escrow.deposit(1000);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(OPERATOR_KEY, escrow.exitHash(adam, beth, 1000, 1, time()));
        bytes memory signature = abi.encodePacked(r, s, v);
        bytes[] memory all = doors();
        for (uint256 i = 0; i < all.length; ++i) {
            calling(all[i]);
            vm.prank(adam);
            vm.expectRevert(REENTERED);
            escrow.exitNow(adam, beth, 1000, 1, time(), signature, "");
        }
    }

    function test_no_door_that_moves_money_opens_from_within_a_challenge_or_a_permit() public {
        opens(M, START + 10 days);
        settle();
        report(M, Outcome.Void);
        bytes[] memory all = doors();
        for (uint256 i = 0; i < all.length; ++i) {
            calling(all[i]);
            vm.prank(adam);
            vm.expectRevert(REENTERED);
            escrow.challenge(M, true);
            vm.prank(adam);
            vm.expectRevert(REENTERED);
            escrow.depositWithPermit(1000, 0, 0, 0, 0);
        }
    }

    function test_what_is_written_before_money_moves_is_whole() public {
        vm.prank(adam);
        escrow.deposit(1000);
        vm.prank(adam);
        escrow.requestExit(1000);
        pass(1 days);
        // Redemption, escape and requests are open from within, and find the money gone.
        calling(abi.encodeCall(IBugMarkEscrow.requestExit, (1)));
        vm.prank(adam);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotFree.selector, address(hostile)));
        escrow.exit(adam);
        calling(abi.encodeCall(IBugMarkEscrow.escape, (M)));
        vm.prank(adam);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotOpen.selector, M));
        escrow.exit(adam);
        hostile.look(adam);
        calling("");
        vm.prank(adam);
        escrow.exit(adam);
        eq(hostile.seenFree(), 0, "free while money moves");
        eq(hostile.seenHeld(), 0, "held while money moves");
        vm.prank(adam);
        escrow.deposit(7);
        eq(hostile.seenFree(), 7, "free while money moves");
        eq(hostile.seenHeld(), 7, "held while money moves");
    }

    function test_a_batch_from_within_finds_whole_books() public {
        IBugMarkEscrow second =
            deployWith(address(hostile), [address(hostile), oracle, arbiter, guardian, owner], sink, BLOCKS_PER_DAY);
        hostile.aim(address(second));
        Line[] memory lines = new Line[](1);
        lines[0] = Line(adam, 0, -1, 0, 0);
        calling(
            abi.encodeCall(
                IBugMarkEscrow.settleBatch, (1, bytes32(0), bytes32("s"), new Opening[](0), new bytes32[](0), lines)
            )
        );
        vm.prank(adam);
        vm.expectRevert();
        second.deposit(1000);
    }

    function test_a_fee_on_transfer_is_refused() public {
        hostile.bend(-1);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotExact.selector));
        escrow.deposit(1000);
        hostile.bend(1);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotExact.selector));
        escrow.deposit(1000);
        hostile.bend(0);
        escrow.deposit(1000);
        eq(escrow.held(), 1000, "held");
    }

    function test_a_token_that_says_no_is_believed() public {
        vm.prank(adam);
        escrow.deposit(1000);
        hostile.refuse(true);
        vm.expectRevert();
        escrow.deposit(1000);
        vm.prank(adam);
        escrow.requestExit(1000);
        pass(1 days);
        vm.prank(adam);
        vm.expectRevert();
        escrow.exit(adam);
        hostile.refuse(false);
        vm.prank(adam);
        escrow.exit(adam);
        eq(escrow.held(), 0, "held");
    }
}

/// @dev Calls the escrow in the midst of each transfer and permit.
contract HostileToken {
    mapping(address account => uint256) public balanceOf;
    uint64 public seenFree;
    uint64 public seenHeld;

    IBugMarkEscrow private _escrow;
    address private _looked;
    bytes private _data;
    int256 private _bent;
    bool private _refuses;

    function decimals() external pure returns (uint8) {
        return 3;
    }

    function aim(address escrow) external {
        _escrow = IBugMarkEscrow(escrow);
    }

    function plan(bytes calldata data) external {
        _data = data;
    }

    function bend(int256 bent) external {
        _bent = bent;
    }

    function refuse(bool refuses) external {
        _refuses = refuses;
    }

    function look(address looked) external {
        _looked = looked;
    }

    function permit(address, address, uint256, uint256, uint8, bytes32, bytes32) external pure {
        revert("no permit");
    }

    function transfer(address to, uint256 value) external returns (bool) {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        return _hook();
    }

    function transferFrom(address, address to, uint256 value) external returns (bool) {
        balanceOf[to] = uint256(int256(balanceOf[to] + value) + _bent);
        return _hook();
    }

    function _hook() private returns (bool) {
        if (_looked != address(0)) {
            seenFree = _escrow.accountOf(_looked).free;
            seenHeld = _escrow.held();
        }
        if (_data.length > 0) {
            (bool done, bytes memory answer) = address(_escrow).call(_data);
            if (!done) {
                assembly ("memory-safe") {
                    revert(add(answer, 32), mload(answer))
                }
            }
        }
        return !_refuses;
    }
}
