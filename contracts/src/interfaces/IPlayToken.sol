// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

/// @title What PlayToken adds to an ERC-20 with permit.
interface IPlayToken {
    /// @notice The faucet has given to `account` already; it gives again at `time`.
    error FaucetPauses(address account, uint256 time);

    /// @notice Base units that the faucet gives at once: 1,000 tokens.
    function FAUCET_AMOUNT() external view returns (uint256 amount);

    /// @notice Seconds between two gifts to one account.
    function FAUCET_PAUSE() external view returns (uint256 secondsBetween);

    /// @notice Time from which the faucet gives to `account` again.
    function faucetOpensAt(address account) external view returns (uint256 time);

    /// @notice Mints 1,000 tokens for `to`.
    function faucet(address to) external;
}
