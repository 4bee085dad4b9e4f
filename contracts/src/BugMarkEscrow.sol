// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";

import {IBugMarkEscrow} from "./interfaces/IBugMarkEscrow.sol";
import {Account, Key, Line, Market, Opening, Outcome, Position} from "./interfaces/Types.sol";
import {Keys} from "./Keys.sol";
import {Law} from "./Law.sol";
import {Outcomes} from "./Outcomes.sol";
import {Vault} from "./Vault.sol";
import {Windows} from "./Windows.sol";

/// @title Holds the money of markets so that nobody has to trust who runs them. Unaudited.
/// @notice Every door is its guards and one call; what is behind them lies in Vault, Markets, Outcomes and Keys.
contract BugMarkEscrow is Outcomes {
    using Law for Position;

    /// @param holders Operator, oracle, arbiter, guardian and owner: five different addresses.
    /// @param blocksPerDay_ Blocks in a day at the chain's pace; rather too few than too many.
    constructor(IERC20Metadata token_, address[5] memory holders, address sink_, uint256 blocksPerDay_)
        Windows(blocksPerDay_)
        Keys(holders, sink_)
        Vault(token_)
    {}

    // ---- money in and out ----

    /// @inheritdoc IBugMarkEscrow
    function deposit(uint64 mills) external nonReentrant running {
        _deposit(msg.sender, mills);
    }

    /// @inheritdoc IBugMarkEscrow
    function depositFor(address account, uint64 mills) external nonReentrant running {
        _deposit(account, mills);
    }

    /// @inheritdoc IBugMarkEscrow
    function depositWithPermit(uint64 mills, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        nonReentrant
        running
    {
        _depositWithPermit(mills, deadline, v, r, s);
    }

    /// @inheritdoc IBugMarkEscrow
    function allow(uint64 maxLoss, uint40 until) external {
        _allow(maxLoss, until);
    }

    /// @inheritdoc IBugMarkEscrow
    function lowerAllowance() external {
        _lowerAllowance();
    }

    /// @inheritdoc IBugMarkEscrow
    function requestExit(uint64 mills) external {
        _requestExit(mills);
    }

    /// @inheritdoc IBugMarkEscrow
    function exit(address to) external nonReentrant {
        _exit(to);
    }

    /// @inheritdoc IBugMarkEscrow
    function exitNow(
        address account,
        address to,
        uint64 mills,
        uint256 nonce,
        uint256 deadline,
        bytes calldata byOperator,
        bytes calldata byAccount
    ) external nonReentrant {
        bytes32 hash = _exitHash(account, to, mills, nonce, deadline);
        _checkSigned(account, nonce, deadline, hash, byOperator, byAccount);
        _exitNow(account, to, mills, nonce);
    }

    /// @inheritdoc IBugMarkEscrow
    function takeUnits(bool taken) external {
        _takeUnits(taken);
    }

    /// @inheritdoc IBugMarkEscrow
    function requestExitUnits(bytes32 market, bool fixedSide, uint48 units, address to) external {
        _requestExitUnits(market, fixedSide, units, to);
    }

    /// @inheritdoc IBugMarkEscrow
    function exitUnits(bytes32 market) external {
        _exitUnits(market);
    }

    // ---- the operator's batches ----

    /// @inheritdoc IBugMarkEscrow
    function settleBatch(
        uint64 number,
        bytes32 prevSeal,
        bytes32 seal,
        Opening[] calldata openings,
        bytes32[] calldata markets,
        Line[] calldata lines
    ) external only(Key.Operator) running {
        _follow(number, prevSeal, seal, lines.length);
        _open(openings);
        _apply(markets, lines);
    }

    // ---- outcomes ----

    /// @inheritdoc IBugMarkEscrow
    function report(bytes32 market, Outcome outcome, bytes32 evidenceHash) external only(Key.Oracle) {
        _report(market, outcome, evidenceHash);
    }

    /// @inheritdoc IBugMarkEscrow
    function challenge(bytes32 market, bool fromWallet) external nonReentrant {
        _challenge(market, fromWallet);
    }

    /// @inheritdoc IBugMarkEscrow
    function answer(bytes32 market, bool stands) external only(Key.Arbiter) {
        _answer(market, stands);
    }

    /// @inheritdoc IBugMarkEscrow
    function escape(bytes32 market) external {
        _escape(market);
    }

    /// @inheritdoc IBugMarkEscrow
    function redeemMany(bytes32 market, address[] calldata accounts) external {
        _redeemMany(market, accounts);
    }

    // ---- keys ----

    /// @inheritdoc IBugMarkEscrow
    function pause() external only(Key.Guardian) {
        _pause();
    }

    /// @inheritdoc IBugMarkEscrow
    function unpause() external only(Key.Owner) {
        _unpause();
    }

    /// @inheritdoc IBugMarkEscrow
    function revoke(Key key) external only(Key.Guardian) {
        _revoke(key);
    }

    /// @inheritdoc IBugMarkEscrow
    function strike(Key key) external only(Key.Guardian) {
        _strike(key);
    }

    /// @inheritdoc IBugMarkEscrow
    function appoint(Key key, address holder) external only(Key.Owner) {
        _appoint(key, holder);
    }

    /// @inheritdoc IBugMarkEscrow
    function take(Key key) external {
        _take(key);
    }

    // ---- what is readable ----

    /// @inheritdoc IBugMarkEscrow
    function accountOf(address account) external view returns (Account memory) {
        return _accounts[account];
    }

    /// @inheritdoc IBugMarkEscrow
    function positionOf(bytes32 market, address account) external view returns (Position memory) {
        return _positions[market][account];
    }

    /// @inheritdoc IBugMarkEscrow
    function marketOf(bytes32 market) external view returns (Market memory) {
        return _markets[market];
    }

    /// @inheritdoc IBugMarkEscrow
    function outcomeOf(bytes32 market) external view returns (Outcome) {
        return _finalOutcome(market);
    }

    /// @inheritdoc IBugMarkEscrow
    function payoutOf(bytes32 market, address account, Outcome outcome) external view returns (uint256) {
        return _positions[market][account].payout(outcome, _markets[market].excess, _markets[market].gap);
    }

    /// @inheritdoc IBugMarkEscrow
    function bondOf(bytes32 market) external view returns (uint64) {
        return _bond(_markets[market]);
    }

    /// @inheritdoc IBugMarkEscrow
    function exitHash(address account, address to, uint64 mills, uint256 nonce, uint256 deadline)
        external
        view
        returns (bytes32)
    {
        return _exitHash(account, to, mills, nonce, deadline);
    }

    /// @inheritdoc IBugMarkEscrow
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @inheritdoc IBugMarkEscrow
    function token() external view returns (address) {
        return address(_token);
    }
}
