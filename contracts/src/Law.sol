// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Outcome, Position} from "./interfaces/Types.sol";

/// @title What a position is worth, and what a line costs at worst: pure arithmetic on whole mills, floored.
library Law {
    using SafeCast for int256;
    using SafeCast for uint256;

    /// @notice Mills of a pair: what a unit of the winning side is paid.
    uint256 internal constant UNIT = 1000;

    /// @notice Mills of a unit of either side if nobody wins.
    uint256 internal constant HALF = 500;

    int256 private constant MOST_UNITS = int256(uint256(type(uint48).max));

    /// @notice Thrown where a position would fall below no units.
    error TooFewUnits();

    /// @notice Thrown where a position would hold more units than there can be money for.
    error TooManyUnits();

    /// @notice Units of both sides that make up pairs.
    function pairs(Position memory p) internal pure returns (uint256) {
        return p.fixedUnits < p.unfixedUnits ? p.fixedUnits : p.unfixedUnits;
    }

    /// @notice Units that have no counterpart in the same position.
    function single(Position memory p) internal pure returns (uint256) {
        return uint256(p.fixedUnits) + p.unfixedUnits - 2 * pairs(p);
    }

    /// @notice What a holder has paid for single units, at least nothing, at most a token a unit; and half a token a unit.
    function claimAndHalf(Position memory p) internal pure returns (uint256 claimed, uint256 half) {
        // Units have 48 bits and net paid has 80: nothing here comes near the ends of a word.
        unchecked {
            uint256 both = pairs(p);
            half = HALF * (uint256(p.fixedUnits) + p.unfixedUnits - 2 * both);
            int256 paid = int256(p.netPaid) - int256(UNIT * both);
            if (paid > 0) claimed = uint256(paid) < 2 * half ? uint256(paid) : 2 * half;
        }
    }

    /// @notice What a claim is above half a token a unit, and below it.
    function distance(Position memory p) internal pure returns (uint256 above, uint256 below) {
        (uint256 claimed, uint256 half) = claimAndHalf(p);
        return claimed > half ? (claimed - half, uint256(0)) : (uint256(0), half - claimed);
    }

    /// @notice Pay-out of a VOID: the claim, moved towards half a token a unit until the claims are what is held.
    function voidPayout(Position memory p, uint256 excess, uint256 gap) internal pure returns (uint256) {
        (uint256 claimed, uint256 half) = claimAndHalf(p);
        uint256 paid = claimed;
        if (claimed > half && excess > gap) paid = half + (claimed - half) * gap / excess;
        if (claimed < half && gap > excess) paid = claimed + (half - claimed) * (gap - excess) / gap;
        return paid + UNIT * pairs(p);
    }

    /// @notice Pay-out of a position.
    function payout(Position memory p, Outcome outcome, uint256 excess, uint256 gap) internal pure returns (uint256) {
        if (outcome == Outcome.Fixed) return UNIT * p.fixedUnits;
        if (outcome == Outcome.Unfixed) return UNIT * p.unfixedUnits;
        return voidPayout(p, excess, gap);
    }

    /// @notice The position after a line: pairs are worth a token each whatever comes, all else may be worth nothing.
    /// @dev Cash that moves without units, a bond that was lost, is no price of a unit: it is a loss, not net paid.
    function traded(Position memory p, int256 cash, int256 fixedUnits, int256 unfixedUnits)
        internal
        pure
        returns (Position memory q)
    {
        // Changes have 64 bits, what is stored has 80 at most: nothing here comes near the ends of a word.
        unchecked {
            int256 f = int256(uint256(p.fixedUnits)) + fixedUnits;
            int256 u = int256(uint256(p.unfixedUnits)) + unfixedUnits;
            if (f < 0 || u < 0) revert TooFewUnits();
            if (f > MOST_UNITS || u > MOST_UNITS) revert TooManyUnits();
            (q.fixedUnits, q.unfixedUnits) = (uint48(uint256(f)), uint48(uint256(u)));
            bool moved = fixedUnits != 0 || unfixedUnits != 0;
            q.netPaid = moved ? (int256(p.netPaid) - cash).toInt80() : p.netPaid;
            int256 loss = int256(uint256(p.loss)) - cash + int256(UNIT * pairs(p)) - int256(UNIT * pairs(q));
            if (loss > 0) q.loss = uint256(loss).toUint80();
        }
    }

    /// @notice Loss of a position that is paid: what was feared, less what came beyond the pairs.
    function realLoss(Position memory p, uint256 paid) internal pure returns (uint256) {
        uint256 feared = uint256(p.loss) + UNIT * pairs(p);
        return feared > paid ? feared - paid : 0;
    }

    /// @notice Net paid that goes with `units` of the single ones.
    function share(Position memory p, uint256 units) internal pure returns (uint256) {
        int256 paid = int256(p.netPaid) - (UNIT * pairs(p)).toInt256();
        return paid <= 0 ? 0 : paid.toUint256() * units / single(p);
    }
}
