// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

/// @notice Powers, each with a key of its own.
enum Key {
    Operator,
    Oracle,
    Arbiter,
    Guardian,
    Owner
}

/// @notice How a market ends.
enum Outcome {
    None,
    Fixed,
    Unfixed,
    Void
}

/// @notice Steps of a market. A report that nobody challenged is final once its window has passed, without a step.
enum Status {
    Unknown,
    Open,
    Reported,
    Challenged,
    Final
}

/// @notice One slot an account. `used`: what trading has cost, or may still cost, at worst; `until`: end of the allowance.
struct Account {
    uint64 free;
    uint64 maxLoss;
    uint64 used;
    uint40 until;
}

/// @notice One slot a position. `netPaid`: cash paid for units less cash taken out, which the law of VOID reads.
/// `loss`: what the account is worse off by at worst; gains that are sure were cut off, so it is never room for a loss.
struct Position {
    uint48 fixedUnits;
    uint48 unfixedUnits;
    int80 netPaid;
    uint80 loss;
}

/// @notice `units`: of either side; `excess`: sum of what claims are above halves (X of the law), `gap`: below (G).
struct Market {
    uint48 units;
    uint64 excess;
    uint64 gap;
    uint40 maturation;
    Status status;
    Outcome outcome;
    // -- second slot: when the present step began, and from which block `escape` is possible
    uint48 time;
    uint48 blockNumber;
    uint64 escapeBlock;
    // -- third slot
    address challenger;
    uint64 bond;
    // -- fourth slot: what was redeemed
    uint48 fixedGone;
    uint48 unfixedGone;
    uint64 paid;
}

/// @notice A market that a batch opens. `market` is a salted id.
struct Opening {
    bytes32 market;
    bytes32 termsHash;
    uint40 maturation;
}

/// @notice A change of one account in one market: cash in mills, units of both sides.
struct Line {
    address account;
    uint16 market;
    int64 cash;
    int64 fixedUnits;
    int64 unfixedUnits;
}
