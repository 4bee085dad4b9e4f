// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Account, Market, Outcome, Position, Status} from "./interfaces/Types.sol";
import {Law} from "./Law.sol";
import {Markets} from "./Markets.sol";

/// @title The end of a market: a report, a day in which anybody may challenge it, one bit of the arbiter, and the way
/// out where nobody does their work.
abstract contract Outcomes is Markets {
    using Law for Position;
    using SafeCast for uint256;

    uint256 internal constant ANSWER_DAYS = 30;
    uint256 internal constant UNIT_BOND = 50;
    uint256 internal constant LEAST_BOND = 1000;

    function _report(bytes32 id, Outcome outcome, bytes32 evidenceHash) internal {
        Market storage market = _markets[id];
        if (market.status != Status.Open) revert NotOpen(id);
        bool early = outcome == Outcome.Unfixed && block.timestamp < market.maturation;
        if (outcome == Outcome.None || early) revert BadOutcome();
        market.outcome = outcome;
        _step(market, Status.Reported);
        emit Reported(id, outcome, evidenceHash);
    }

    function _challenge(bytes32 id, bool fromWallet) internal {
        Market storage market = _markets[id];
        if (market.status != Status.Reported) revert NotReported(id);
        if (_finalOutcome(id) != Outcome.None) revert TooLate();
        uint64 bond = _bond(market);
        market.challenger = msg.sender;
        market.bond = bond;
        _step(market, Status.Challenged);
        emit Challenged(id, msg.sender, bond);
        if (fromWallet) _pull(bond);
        else _takeFree(bond);
    }

    function _answer(bytes32 id, bool stands) internal {
        Market storage market = _markets[id];
        if (market.status != Status.Challenged) revert NotChallenged(id);
        emit Answered(id, stands);
        if (stands) {
            _step(market, Status.Final);
            _payBond(market, sink);
        } else {
            market.outcome = Outcome.None;
            _step(market, Status.Open);
            _payBond(market, market.challenger);
        }
    }

    function _escape(bytes32 id) internal {
        Market storage market = _markets[id];
        if (market.status == Status.Challenged) {
            if (!_passed(market.time, market.blockNumber, ANSWER_DAYS)) revert TooEarly();
            _payBond(market, market.challenger);
        } else {
            if (market.status != Status.Open) revert NotOpen(id);
            bool aged = block.timestamp >= market.maturation + ESCAPE_DAYS * 1 days;
            if (!aged || block.number < market.escapeBlock) revert TooEarly();
        }
        market.outcome = Outcome.Void;
        _step(market, Status.Final);
        emit Escaped(id);
    }

    function _redeemMany(bytes32 id, address[] calldata accounts) internal {
        Outcome outcome = _finalOutcome(id);
        if (outcome == Outcome.None) revert NotFinal(id);
        Market memory market = _markets[id];
        bool paid = false;
        for (uint256 i = 0; i < accounts.length; ++i) {
            paid = _redeem(id, market, outcome, accounts[i]) || paid;
        }
        if (!paid) return;
        if (market.fixedGone == market.units && market.unfixedGone == market.units) _empty(id, market);
        Market storage stored = _markets[id];
        (stored.fixedGone, stored.unfixedGone, stored.paid) = (market.fixedGone, market.unfixedGone, market.paid);
    }

    /// @dev Pays a holder and notes it in `market`; false if there is nobody to pay.
    function _redeem(bytes32 id, Market memory market, Outcome outcome, address owner) private returns (bool) {
        Position memory position = _positions[id][owner];
        if (position.fixedUnits == 0 && position.unfixedUnits == 0) return false;
        uint256 mills = position.payout(outcome, market.excess, market.gap);
        delete _positions[id][owner];
        market.fixedGone += position.fixedUnits;
        market.unfixedGone += position.unfixedUnits;
        market.paid += mills.toUint64();
        Account storage account = _accounts[owner];
        account.free += mills.toUint64();
        account.used = (uint256(account.used) + position.realLoss(mills) - position.loss).toUint64();
        emit Redeemed(id, owner, mills);
        return true;
    }

    /// @dev Nobody is left: what flooring has kept back goes to the sink.
    function _empty(bytes32 id, Market memory market) private {
        uint256 dust = Law.UNIT * market.units - market.paid;
        market.paid += dust.toUint64();
        _accounts[sink].free += dust.toUint64();
        emit Emptied(id, dust);
    }

    function _step(Market storage market, Status status) private {
        market.status = status;
        market.time = uint48(block.timestamp);
        market.blockNumber = uint48(block.number);
    }

    function _bond(Market storage market) internal view returns (uint64) {
        uint256 mills = UNIT_BOND * market.units;
        return (mills > LEAST_BOND ? mills : LEAST_BOND).toUint64();
    }

    function _takeFree(uint64 mills) private {
        uint64 free = _accounts[msg.sender].free;
        if (mills > free) revert NotFree(msg.sender);
        _accounts[msg.sender].free = free - mills;
    }

    function _payBond(Market storage market, address to) private {
        _accounts[to].free += market.bond;
        market.bond = 0;
    }
}
