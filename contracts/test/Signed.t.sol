// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {IBugMarkEscrow} from "../src/interfaces/IBugMarkEscrow.sol";
import {IEscrowEvents} from "../src/interfaces/IEscrowEvents.sol";
import {Key} from "../src/interfaces/Types.sol";
import {Base} from "./support/Base.sol";

/// @title Exits that operator and account have signed.
contract SignedTest is Base {
    uint256 private constant NONCE = 77;
    uint256 private constant N_OF_CURVE = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function setUp() public override {
        super.setUp();
        person(adam, 5000);
        person(beth, 5000);
    }

    function signed(uint256 key, address account, address to, uint64 mills, uint256 nonce, uint256 deadline)
        private
        view
        returns (bytes memory)
    {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, escrow.exitHash(account, to, mills, nonce, deadline));
        return abi.encodePacked(r, s, v);
    }

    function both(uint64 mills) private view returns (bytes memory, bytes memory) {
        uint256 deadline = time() + 600;
        return (
            signed(OPERATOR_KEY, adam, stranger, mills, NONCE, deadline),
            signed(ADAM_KEY, adam, stranger, mills, NONCE, deadline)
        );
    }

    function pays(bytes memory byOperator, bytes memory byAccount) private {
        escrow.exitNow(adam, stranger, 3000, NONCE, time() + 600, byOperator, byAccount);
    }

    function test_anyone_sends_what_both_have_signed() public {
        (bytes memory byOperator, bytes memory byAccount) = both(3000);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.NonceUsed(adam, NONCE);
        vm.expectEmit(address(escrow));
        emit IEscrowEvents.Exited(adam, stranger, 3000);
        pays(byOperator, byAccount);
        eq(token.balanceOf(stranger), 3000 * MILL, "paid");
        eq(free(adam), 2000, "free");
        vm.assertTrue(escrow.nonceUsed(adam, NONCE), "nonce is used");
        vm.assertTrue(!escrow.nonceUsed(beth, NONCE), "of this account alone");
    }

    function test_the_account_itself_needs_no_signature_of_its_own() public {
        (bytes memory byOperator,) = both(3000);
        vm.prank(adam);
        pays(byOperator, "");
        eq(free(adam), 2000, "free");
    }

    function test_it_is_paid_once() public {
        (bytes memory byOperator, bytes memory byAccount) = both(3000);
        pays(byOperator, byAccount);
        vm.prank(adam);
        escrow.requestExit(1);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NonceIsUsed.selector, NONCE));
        pays(byOperator, byAccount);
    }

    function test_neither_signature_may_be_missing_or_another() public {
        (bytes memory byOperator, bytes memory byAccount) = both(3000);
        bytes memory notTheirs = abi.encodeWithSelector(IEscrowEvents.BadSignature.selector, adam);
        vm.expectRevert(notTheirs);
        pays(byOperator, byOperator);
        vm.expectRevert(notTheirs);
        pays(byOperator, "");
        bytes memory notOperator = abi.encodeWithSelector(IEscrowEvents.BadSignature.selector, operator);
        vm.expectRevert(notOperator);
        pays(byAccount, byAccount);
        vm.prank(adam);
        vm.expectRevert(notOperator);
        pays("", byAccount);
    }

    function test_every_word_of_it_is_signed() public {
        (bytes memory byOperator, bytes memory byAccount) = both(3000);
        bytes memory why = abi.encodeWithSelector(IEscrowEvents.BadSignature.selector, operator);
        uint256 deadline = time() + 600;
        vm.expectRevert(why);
        escrow.exitNow(beth, stranger, 3000, NONCE, deadline, byOperator, byAccount);
        vm.expectRevert(why);
        escrow.exitNow(adam, thief, 3000, NONCE, deadline, byOperator, byAccount);
        vm.expectRevert(why);
        escrow.exitNow(adam, stranger, 3001, NONCE, deadline, byOperator, byAccount);
        vm.expectRevert(why);
        escrow.exitNow(adam, stranger, 3000, NONCE + 1, deadline, byOperator, byAccount);
        vm.expectRevert(why);
        escrow.exitNow(adam, stranger, 3000, NONCE, deadline + 1, byOperator, byAccount);
    }

    function test_the_deadline_counts() public {
        (bytes memory byOperator, bytes memory byAccount) = both(3000);
        uint256 deadline = START + 600;
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.TooLate.selector));
        escrow.exitNow(adam, stranger, 3000, NONCE, deadline, byOperator, byAccount);
        vm.warp(deadline);
        escrow.exitNow(adam, stranger, 3000, NONCE, deadline, byOperator, byAccount);
        eq(free(adam), 2000, "in time");
    }

    function test_never_more_than_is_free() public {
        (bytes memory byOperator, bytes memory byAccount) = both(5001);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.NotFree.selector, adam));
        escrow.exitNow(adam, stranger, 5001, NONCE, time() + 600, byOperator, byAccount);
    }

    function test_another_deployment_is_another_message() public {
        (bytes memory byOperator, bytes memory byAccount) = both(3000);
        IBugMarkEscrow first = escrow;
        escrow = deploy(address(token));
        person(adam, 5000);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.BadSignature.selector, operator));
        pays(byOperator, byAccount);
        escrow = first;
        pays(byOperator, byAccount);
        eq(free(adam), 2000, "the first takes it");
    }

    function test_another_chain_is_another_message() public {
        (bytes memory byOperator, bytes memory byAccount) = both(3000);
        bytes32 domain = escrow.domainSeparator();
        vm.chainId(1234);
        vm.assertTrue(domain != escrow.domainSeparator(), "the domain follows the chain");
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.BadSignature.selector, operator));
        pays(byOperator, byAccount);
    }

    function test_a_mirrored_signature_is_none() public {
        uint256 deadline = time() + 600;
        (bytes memory byOperator, bytes memory byAccount) = both(3000);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(OPERATOR_KEY, escrow.exitHash(adam, stranger, 3000, NONCE, deadline));
        byOperator = abi.encodePacked(r, bytes32(N_OF_CURVE - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.BadSignature.selector, operator));
        pays(byOperator, byAccount);
    }

    function test_a_revoked_operator_signs_nothing() public {
        (bytes memory byOperator, bytes memory byAccount) = both(3000);
        vm.prank(guardian);
        escrow.revoke(Key.Operator);
        bytes memory why = abi.encodeWithSelector(IEscrowEvents.BadSignature.selector, address(0));
        vm.expectRevert(why);
        pays(byOperator, byAccount);
        vm.expectRevert(why);
        pays("", byAccount);
        vm.expectRevert(why);
        pays(new bytes(65), byAccount);
    }

    function test_a_contract_signs_by_its_own_rule() public {
        ContractWallet house = new ContractWallet(beth);
        vm.prank(beth);
        token.approve(address(escrow), type(uint256).max);
        vm.prank(beth);
        escrow.depositFor(address(house), 4000);
        uint256 deadline = time() + 600;
        bytes memory byOperator = signed(OPERATOR_KEY, address(house), stranger, 4000, 1, deadline);
        vm.expectRevert(abi.encodeWithSelector(IEscrowEvents.BadSignature.selector, address(house)));
        escrow.exitNow(address(house), stranger, 4000, 1, deadline, byOperator, hex"00");
        escrow.exitNow(address(house), stranger, 4000, 1, deadline, byOperator, abi.encode(beth));
        eq(token.balanceOf(stranger), 4000 * MILL, "paid");
    }

    function test_hashes_are_those_of_another_program() public {
        string memory json = vm.readFile("vectors/eip712.json");
        vm.chainId(vm.parseJsonUint(json, ".chainId"));
        address verifying = vm.parseJsonAddress(json, ".escrow");
        IEtch(address(vm)).etch(verifying, address(escrow).code);
        // The copy has the domain of where it was deployed first, which it notices and reckons anew.
        bytes32 hash = IBugMarkEscrow(verifying)
            .exitHash(
                vm.parseJsonAddress(json, ".account"),
                vm.parseJsonAddress(json, ".to"),
                uint64(vm.parseJsonUint(json, ".mills")),
                vm.parseJsonUint(json, ".nonce"),
                vm.parseJsonUint(json, ".deadline")
            );
        vm.assertEq(hash, vm.parseJsonBytes32(json, ".hash"), "hash");
        vm.assertEq(
            IBugMarkEscrow(verifying).domainSeparator(), vm.parseJsonBytes32(json, ".domain"), "domain separator"
        );
    }
}

interface IEtch {
    function etch(address where, bytes calldata code) external;
}

/// @dev Signs whatever names its owner.
contract ContractWallet {
    address private immutable _owner;

    constructor(address owner) {
        _owner = owner;
    }

    function isValidSignature(bytes32, bytes calldata signature) external view returns (bytes4) {
        bool named = signature.length == 32 && abi.decode(signature, (address)) == _owner;
        return named ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }
}
