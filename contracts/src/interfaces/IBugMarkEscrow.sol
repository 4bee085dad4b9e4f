// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {IEscrowEvents} from "./IEscrowEvents.sol";
import {Account, Key, Line, Market, Opening, Outcome, Position} from "./Types.sol";

/// @title The doors of the escrow. Money is counted in mills, thousandths of a token; a pair of units is 1,000 mills.
/// @notice A window of days passes when its time and as many blocks have gone by.
interface IBugMarkEscrow is IEscrowEvents {
    // ---- money in and out ----

    /// @notice Takes `mills` from the caller's wallet into the caller's account. Stopped by a pause.
    function deposit(uint64 mills) external;

    /// @notice Takes `mills` from the caller's wallet into `account`. Stopped by a pause.
    function depositFor(address account, uint64 mills) external;

    /// @notice As `deposit`, after the token's permit was tried; a permit that somebody else has sent already does no harm.
    function depositWithPermit(uint64 mills, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Says what trading may cost the caller at worst in all, and until when lines are agreed.
    /// @dev More is had at once. Anything less waits as an exit does, and `lowerAllowance` brings it about.
    function allow(uint64 maxLoss, uint40 until) external;

    /// @notice Brings a smaller allowance about, a day after it was asked for; the wish lapses 7 days later.
    function lowerAllowance() external;

    /// @notice Announces that the caller takes `mills` out, at most what is free now. Replaces an earlier request.
    function requestExit(uint64 mills) external;

    /// @notice Pays what was requested, or what is left of it, a day later; the request lapses 7 days after that.
    function exit(address to) external;

    /// @notice Pays at once what the operator and the account have both signed.
    /// @param byAccount May be empty if the account itself calls.
    function exitNow(
        address account,
        address to,
        uint64 mills,
        uint256 nonce,
        uint256 deadline,
        bytes calldata byOperator,
        bytes calldata byAccount
    ) external;

    /// @notice Says whether the caller takes units that others move to it.
    function takeUnits(bool taken) external;

    /// @notice Announces that the caller moves `units` of one side to `to`; units that make up pairs stay.
    function requestExitUnits(bytes32 market, bool fixedSide, uint48 units, address to) external;

    /// @notice Moves what was requested, or what is left of it, a day later; a part of the net paid goes with them.
    function exitUnits(bytes32 market) external;

    // ---- the operator's batches ----

    /// @notice Settles fills. Lines are grouped by account in ascending order, markets ascend.
    /// @param number One more than that of the batch before.
    /// @param prevSeal Seal of the batch before.
    /// @param seal The journal's seal, which is anchored here.
    /// @param markets Those that lines name by their place in this list.
    function settleBatch(
        uint64 number,
        bytes32 prevSeal,
        bytes32 seal,
        Opening[] calldata openings,
        bytes32[] calldata markets,
        Line[] calldata lines
    ) external;

    // ---- outcomes ----

    /// @notice Reports an outcome: FIXED and VOID at any time, UNFIXED after maturation. Batches stop for the market.
    function report(bytes32 market, Outcome outcome, bytes32 evidenceHash) external;

    /// @notice Challenges a report within its window, with the bond of `bondOf`.
    /// @param fromWallet Takes the bond from the caller's wallet and not from what is free here.
    function challenge(bytes32 market, bool fromWallet) external;

    /// @notice Answers a challenge: the report stands and is final, or the market is open again.
    function answer(bytes32 market, bool stands) external;

    /// @notice Voids a market that had no report 90 days after maturation, or a challenge unanswered for 30 days.
    function escape(bytes32 market) external;

    /// @notice Pays holders of a market whose outcome is final; strangers and repeats are skipped.
    function redeemMany(bytes32 market, address[] calldata accounts) external;

    // ---- keys ----

    /// @notice Stops batches and deposits. Exits, challenges, redemption and escape go on.
    function pause() external;

    /// @notice Ends a pause.
    function unpause() external;

    /// @notice Takes its power from operator, oracle or arbiter at once.
    function revoke(Key key) external;

    /// @notice Strikes an appointment; the guardian's own successor cannot be struck.
    function strike(Key key) external;

    /// @notice Appoints a holder of a key, who may take it 7 days later; that of the guardian 30 days later.
    function appoint(Key key, address holder) external;

    /// @notice Takes a key that the caller was appointed to.
    function take(Key key) external;

    // ---- what is readable ----

    /// @notice Mills that an account has free, its allowance, and what of it is used.
    function accountOf(address account) external view returns (Account memory);

    /// @notice A holder's units, net paid and loss in a market.
    function positionOf(bytes32 market, address account) external view returns (Position memory);

    /// @notice State of a market.
    function marketOf(bytes32 market) external view returns (Market memory);

    /// @notice The outcome once it is final, else None.
    function outcomeOf(bytes32 market) external view returns (Outcome);

    /// @notice Mills that a holder would get for `outcome`, by what is held now.
    function payoutOf(bytes32 market, address account, Outcome outcome) external view returns (uint256 mills);

    /// @notice Bond that a challenge of the market takes: 50 mills a unit of open interest, at least a token.
    function bondOf(bytes32 market) external view returns (uint64 mills);

    /// @notice An account's request to take money out: mills, time and block.
    function exitOf(address account) external view returns (uint64 mills, uint48 time, uint48 blockNumber);

    /// @notice An account's wish for a smaller allowance.
    function loweringOf(address account)
        external
        view
        returns (uint64 maxLoss, uint40 until, uint48 time, uint48 blockNumber);

    /// @notice An account's request to move units out of a market.
    function unitExitOf(bytes32 market, address account)
        external
        view
        returns (uint48 units, bool fixedSide, uint48 time, uint48 blockNumber, address to);

    /// @notice True once a signed exit with this nonce was paid.
    function nonceUsed(address account, uint256 nonce) external view returns (bool);

    /// @notice True if the account said that it takes units.
    function takesUnits(address account) external view returns (bool);

    /// @notice Holder of a key; the zero address once it was revoked.
    function holderOf(Key key) external view returns (address);

    /// @notice Who was appointed to a key, and since when.
    function appointmentOf(Key key) external view returns (address holder, uint48 time, uint48 blockNumber);

    /// @notice The hash that operator and account sign for `exitNow`.
    function exitHash(address account, address to, uint64 mills, uint256 nonce, uint256 deadline)
        external
        view
        returns (bytes32);

    /// @notice EIP-712 domain separator.
    function domainSeparator() external view returns (bytes32);

    /// @notice The token that is held.
    function token() external view returns (address);

    /// @notice Where dust and lost bonds go.
    function sink() external view returns (address);

    /// @notice Base units of the token in a mill.
    function unitsPerMill() external view returns (uint256);

    /// @notice Blocks in a day at the chain's pace, as fixed at deployment.
    function blocksPerDay() external view returns (uint256);

    /// @notice Mills that the escrow holds for all accounts, markets and bonds.
    function held() external view returns (uint64);

    /// @notice Number of the last batch.
    function batchNumber() external view returns (uint64);

    /// @notice Seal of the last batch.
    function lastSeal() external view returns (bytes32);

    /// @notice True while batches and deposits are stopped.
    function paused() external view returns (bool);
}
