// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {Account, Position} from "./interfaces/Types.sol";

/// @title Slots read and written whole: the compiler would take each field of a batch's slots by itself.
/// @dev Tests hold this to the compiler's own layout, by which all else reads the same slots.
library Packed {
    /// @notice Reads an account in one load.
    function load(Account storage stored) internal view returns (Account memory account) {
        uint256 word = _read(_slot(stored));
        account.free = uint64(word);
        account.maxLoss = uint64(word >> 64);
        account.used = uint64(word >> 128);
        account.until = uint40(word >> 192);
    }

    /// @notice Writes an account in one store.
    function save(Account storage stored, Account memory account) internal {
        uint256 word = uint256(account.free) | uint256(account.maxLoss) << 64 | uint256(account.used) << 128;
        _write(_slot(stored), word | uint256(account.until) << 192);
    }

    /// @notice Reads a position in one load.
    function load(Position storage stored) internal view returns (Position memory position) {
        uint256 word = _read(_slot(stored));
        position.fixedUnits = uint48(word);
        position.unfixedUnits = uint48(word >> 48);
        position.netPaid = int80(uint80(word >> 96));
        position.loss = uint80(word >> 176);
    }

    /// @notice Writes a position in one store.
    function save(Position storage stored, Position memory position) internal {
        uint256 word = uint256(position.fixedUnits) | uint256(position.unfixedUnits) << 48;
        word |= uint256(uint80(position.netPaid)) << 96;
        _write(_slot(stored), word | uint256(position.loss) << 176);
    }

    function _slot(Account storage stored) private pure returns (bytes32 slot) {
        assembly ("memory-safe") {
            slot := stored.slot
        }
    }

    function _slot(Position storage stored) private pure returns (bytes32 slot) {
        assembly ("memory-safe") {
            slot := stored.slot
        }
    }

    function _read(bytes32 slot) private view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(slot)
        }
    }

    function _write(bytes32 slot, uint256 word) private {
        assembly ("memory-safe") {
            sstore(slot, word)
        }
    }
}
