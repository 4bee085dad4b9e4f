// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {Account, Position} from "../src/interfaces/Types.sol";
import {Packed} from "../src/Packed.sol";
import {Vm} from "./support/Vm.sol";

/// @title Slots that are read and written whole are those that the compiler reads and writes by fields.
contract PackedTest {
    using Packed for Account;
    using Packed for Position;

    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    Account private account;
    Position private position;

    function eq(bytes memory left, bytes memory right, string memory why) private pure {
        vm.assertEq(keccak256(left), keccak256(right), why);
    }

    function testFuzz_an_account_is_one_slot(uint64 free, uint64 maxLoss, uint64 used, uint40 until) public {
        Account memory asked = Account(free, maxLoss, used, until);
        account = asked;
        eq(abi.encode(account.load()), abi.encode(asked), "read");
        account.save(Account(0, 0, 0, 0));
        eq(abi.encode(account), abi.encode(Account(0, 0, 0, 0)), "written");
        account.save(asked);
        eq(abi.encode(account), abi.encode(asked), "written");
    }

    function testFuzz_a_position_is_one_slot(uint48 fixedUnits, uint48 unfixedUnits, int80 netPaid, uint80 loss)
        public
    {
        Position memory asked = Position(fixedUnits, unfixedUnits, netPaid, loss);
        position = asked;
        eq(abi.encode(position.load()), abi.encode(asked), "read");
        position.save(Position(0, 0, 0, 0));
        eq(abi.encode(position), abi.encode(Position(0, 0, 0, 0)), "written");
        position.save(asked);
        eq(abi.encode(position), abi.encode(asked), "written");
    }
}
