// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {Key, Outcome} from "./Types.sol";

/// @title What the escrow tells and how it refuses.
interface IEscrowEvents {
    /// @notice `from` paid `mills` into `account`.
    event Deposited(address indexed account, address indexed from, uint64 mills);
    /// @notice The allowance of an account is now this.
    event Allowed(address indexed account, uint64 maxLoss, uint40 until);
    /// @notice A smaller allowance was asked for.
    event LoweringRequested(address indexed account, uint64 maxLoss, uint40 until);
    /// @notice An account announced that it takes money out.
    event ExitRequested(address indexed account, uint64 mills);
    /// @notice Money of an account was paid to `to`.
    event Exited(address indexed account, address indexed to, uint64 mills);
    /// @notice A signed exit was paid; `Exited` tells the sum.
    event NonceUsed(address indexed account, uint256 nonce);
    /// @notice An account said whether it takes units.
    event UnitsWelcome(address indexed account, bool taken);
    /// @notice An account announced that it moves units.
    event UnitExitRequested(
        bytes32 indexed market, address indexed account, address indexed to, bool fixedSide, uint48 units
    );
    /// @notice Units moved, and a part of the net paid with them.
    event UnitsExited(
        bytes32 indexed market,
        address indexed account,
        address indexed to,
        bool fixedSide,
        uint48 units,
        uint256 netPaid
    );
    /// @notice A market opened; the terms are those with this hash.
    event MarketOpened(bytes32 indexed market, bytes32 termsHash, uint40 maturation);
    /// @notice A batch was settled; `seal` is the journal's.
    event BatchSettled(uint64 indexed number, bytes32 prevSeal, bytes32 seal, uint256 lines);
    /// @notice The oracle reported an outcome.
    event Reported(bytes32 indexed market, Outcome outcome, bytes32 evidenceHash);
    /// @notice A report was challenged.
    event Challenged(bytes32 indexed market, address indexed challenger, uint64 bond);
    /// @notice The arbiter answered a challenge.
    event Answered(bytes32 indexed market, bool stands);
    /// @notice A market was voided because nobody did their work.
    event Escaped(bytes32 indexed market);
    /// @notice A holder was paid.
    event Redeemed(bytes32 indexed market, address indexed account, uint256 mills);
    /// @notice All holders were paid; the dust went to the sink.
    event Emptied(bytes32 indexed market, uint256 dust);
    /// @notice Batches and deposits stopped.
    event Paused();
    /// @notice Batches and deposits go on.
    event Unpaused();
    /// @notice A key lost its power.
    event Revoked(Key indexed key, address holder);
    /// @notice The owner appointed a holder.
    event Appointed(Key indexed key, address holder);
    /// @notice The guardian struck an appointment.
    event Struck(Key indexed key, address holder);
    /// @notice A key has a new holder.
    event Taken(Key indexed key, address holder);

    /// @notice The caller does not hold the key.
    error NotHolder(Key key);
    /// @notice Keys and sink must be different addresses, none of them zero.
    error NotDistinct(address holder);
    /// @notice This key cannot be revoked, or its appointment not be struck.
    error NotOfGuardian(Key key);
    /// @notice Nobody was appointed, or somebody else.
    error NotAppointed(Key key);
    /// @notice Stopped by a pause.
    error IsPaused();
    /// @notice There is no pause to end.
    error NotPaused();
    /// @notice The token has fewer than 3 or more than 36 decimals.
    error BadDecimals(uint8 decimals);
    /// @notice A day has at least one block.
    error NoBlocks();
    /// @notice Money cannot go to this address.
    error BadReceiver(address to);
    /// @notice The sum is 0.
    error NothingAsked();
    /// @notice Not so much is free.
    error NotFree(address account);
    /// @notice Nothing is left of what was requested.
    error NothingLeft();
    /// @notice More than 9·10¹⁵ mills in all.
    error TooMuch();
    /// @notice The token moved another sum than was asked for.
    error NotExact();
    /// @notice Nothing of the kind was requested.
    error NotRequested();
    /// @notice The window has not passed yet.
    error TooEarly();
    /// @notice The request has lapsed, or the window has passed.
    error TooLate();
    /// @notice A signed exit with this nonce was paid.
    error NonceIsUsed(uint256 nonce);
    /// @notice A signature is not that of the key or account.
    error BadSignature(address signer);
    /// @notice The receiver has not said that it takes units.
    error UnitsUnwelcome(address to);
    /// @notice The batch does not follow on the last one.
    error NotNext(uint64 number, bytes32 seal);
    /// @notice The market is not open.
    error NotOpen(bytes32 market);
    /// @notice The market is open already.
    error IsKnown(bytes32 market);
    /// @notice The maturation is too far away, or over for more than 7 days.
    error BadMaturation(uint40 maturation);
    /// @notice Markets of a batch, or accounts of its lines, are not in ascending order.
    error NotAscending();
    /// @notice The account's allowance has run out.
    error NotAllowed(address account);
    /// @notice The account would use more than its allowance.
    error LossTooLarge(address account);
    /// @notice The account has not so many units.
    error NoUnits(address account);
    /// @notice Units or cash do not add up.
    error NotConserved(bytes32 market);
    /// @notice This outcome cannot be reported, or not yet.
    error BadOutcome();
    /// @notice No report of this market is to be challenged.
    error NotReported(bytes32 market);
    /// @notice No challenge of this market is to be answered.
    error NotChallenged(bytes32 market);
    /// @notice The outcome of the market is not final.
    error NotFinal(bytes32 market);
    /// @notice The outcome of the market is final.
    error IsFinal(bytes32 market);
}
