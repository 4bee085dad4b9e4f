// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {IBugMarkEscrow} from "./interfaces/IBugMarkEscrow.sol";

/// @title Windows of days, which a chain that stands still does not shorten.
abstract contract Windows is IBugMarkEscrow {
    /// @inheritdoc IBugMarkEscrow
    uint256 public immutable blocksPerDay;

    constructor(uint256 blocksPerDay_) {
        if (blocksPerDay_ == 0) revert NoBlocks();
        blocksPerDay = blocksPerDay_;
    }

    /// @dev True once `count` days have gone by in time and in blocks.
    function _passed(uint256 time, uint256 blockNumber, uint256 count) internal view returns (bool) {
        return block.timestamp >= time + count * 1 days && block.number >= blockNumber + count * blocksPerDay;
    }

    /// @dev Holds that a request is a day old and not lapsed.
    function _checkRipe(uint256 time, uint256 blockNumber) internal view {
        if (time == 0) revert NotRequested();
        if (!_passed(time, blockNumber, 1)) revert TooEarly();
        if (_passed(time, blockNumber, 8)) revert TooLate();
    }
}
