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

    /// @notice Thrown where a position would fall below no units.
    error TooFewUnits();

    /// @notice Units of both sides that make up pairs.
    function pairs(Position memory p) internal pure returns (uint256) {
        return p.fixedUnits < p.unfixedUnits ? p.fixedUnits : p.unfixedUnits;
    }

    /// @notice Units that have no counterpart in the same position.
    function single(Position memory p) internal pure returns (uint256) {
        return uint256(p.fixedUnits) + p.unfixedUnits - 2 * pairs(p);
    }

    /// @notice What a holder has paid for single units: at least nothing, at most a token a unit.
    function claim(Position memory p) internal pure returns (uint256) {
        int256 paid = int256(p.netPaid) - (UNIT * pairs(p)).toInt256();
        uint256 most = UNIT * single(p);
        if (paid <= 0) return 0;
        return paid.toUint256() < most ? paid.toUint256() : most;
    }

    /// @notice What a claim is above half a token a unit, and below it.
    function distance(Position memory p) internal pure returns (uint256 above, uint256 below) {
        uint256 claimed = claim(p);
        uint256 half = HALF * single(p);
        return claimed > half ? (claimed - half, uint256(0)) : (uint256(0), half - claimed);
    }

    /// @notice Pay-out of a VOID: the claim, moved towards half a token a unit until the claims are what is held.
    function voidPayout(Position memory p, uint256 excess, uint256 gap) internal pure returns (uint256) {
        (uint256 above, uint256 below) = distance(p);
        uint256 paid = claim(p);
        if (above > 0 && excess > gap) paid = HALF * single(p) + above * gap / excess;
        if (below > 0 && gap > excess) paid += below * (gap - excess) / gap;
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
        q.fixedUnits = _changed(p.fixedUnits, fixedUnits);
        q.unfixedUnits = _changed(p.unfixedUnits, unfixedUnits);
        bool moved = fixedUnits != 0 || unfixedUnits != 0;
        q.netPaid = moved ? (int256(p.netPaid) - cash).toInt80() : p.netPaid;
        q.loss = _charged(p, cash, q);
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

    function _charged(Position memory p, int256 cash, Position memory q) private pure returns (uint80) {
        int256 loss = int256(uint256(p.loss)) - cash + int256(UNIT * pairs(p)) - int256(UNIT * pairs(q));
        return loss > 0 ? loss.toUint256().toUint80() : 0;
    }

    function _changed(uint48 units, int256 change) private pure returns (uint48) {
        int256 left = int256(uint256(units)) + change;
        if (left < 0) revert TooFewUnits();
        return left.toUint256().toUint48();
    }
}
