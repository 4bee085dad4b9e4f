// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

/// @dev A token of which everybody has enough.
contract PlentyToken {
    mapping(address account => uint256) public balanceOf;

    function decimals() external pure returns (uint8) {
        return 3;
    }

    function transferFrom(address, address to, uint256 value) external returns (bool) {
        balanceOf[to] += value;
        return true;
    }
}
