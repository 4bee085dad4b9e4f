// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

import {IPlayToken} from "./interfaces/IPlayToken.sol";

/// @title A token without worth, for test networks: anybody may take some each day.
contract PlayToken is ERC20, ERC20Permit, IPlayToken {
    /// @inheritdoc IPlayToken
    uint256 public constant FAUCET_AMOUNT = 1_000 * 10 ** 18;

    /// @inheritdoc IPlayToken
    uint256 public constant FAUCET_PAUSE = 1 days;

    /// @inheritdoc IPlayToken
    mapping(address account => uint256 time) public faucetOpensAt;

    constructor() ERC20("BugMark play token", "PLAY") ERC20Permit("BugMark play token") {}

    /// @inheritdoc IPlayToken
    function faucet(address to) external {
        if (block.timestamp < faucetOpensAt[to]) revert FaucetPauses(to, faucetOpensAt[to]);
        faucetOpensAt[to] = block.timestamp + FAUCET_PAUSE;
        _mint(to, FAUCET_AMOUNT);
    }
}
