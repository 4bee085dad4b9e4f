// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IBugMarkEscrow} from "./interfaces/IBugMarkEscrow.sol";
import {Account, Line, Market, Opening, Outcome, Position, Status} from "./interfaces/Types.sol";
import {Law} from "./Law.sol";
import {Packed} from "./Packed.sol";
import {Vault} from "./Vault.sol";

/// @title Markets and positions: what the operator's batches may do to them, and units that move.
abstract contract Markets is Vault {
    using Law for Position;
    using Packed for Account;
    using Packed for Position;
    using SafeCast for int256;
    using SafeCast for uint256;

    struct UnitExit {
        uint48 units;
        bool fixedSide;
        uint48 time;
        uint48 blockNumber;
        address to;
    }

    /// @dev A market while a batch is applied: read once, written once.
    struct Work {
        int256 units;
        uint256 excess;
        uint256 gap;
        int256 fixedUnits;
        int256 unfixedUnits;
        int256 cash;
    }

    /// @dev An account's cash and what it uses, over all its lines of a batch.
    struct Sum {
        int256 free;
        int256 used;
    }

    uint256 internal constant LONGEST = 733 days;
    uint256 internal constant ESCAPE_DAYS = 90;
    uint256 internal constant CHALLENGE_DAYS = 1;

    /// @inheritdoc IBugMarkEscrow
    bytes32 public lastSeal;

    mapping(bytes32 market => Market data) internal _markets;
    mapping(bytes32 market => mapping(address account => Position data)) internal _positions;

    /// @inheritdoc IBugMarkEscrow
    mapping(bytes32 market => mapping(address account => UnitExit request)) public unitExitOf;

    /// @inheritdoc IBugMarkEscrow
    mapping(address account => bool taken) public takesUnits;

    // ---- batches ----

    function _follow(uint64 number, bytes32 prevSeal, bytes32 seal, uint256 lines) internal {
        if (number != batchNumber + 1 || prevSeal != lastSeal) revert NotNext(batchNumber, lastSeal);
        batchNumber = number;
        lastSeal = seal;
        emit BatchSettled(number, prevSeal, seal, lines);
    }

    function _open(Opening[] calldata openings) internal {
        for (uint256 i = 0; i < openings.length; ++i) {
            Opening calldata opening = openings[i];
            Market storage market = _markets[opening.market];
            if (market.status != Status.Unknown) revert IsKnown(opening.market);
            bool late = block.timestamp > opening.maturation + LATE;
            bool far = opening.maturation > block.timestamp + LONGEST;
            if (late || far) revert BadMaturation(opening.maturation);
            market.maturation = opening.maturation;
            market.status = Status.Open;
            market.escapeBlock = _escapeBlock(opening.maturation);
            emit MarketOpened(opening.market, opening.termsHash, opening.maturation);
        }
    }

    function _apply(bytes32[] calldata markets, Line[] calldata lines) internal {
        Work[] memory work = _load(markets);
        address last = address(0);
        for (uint256 i = 0; i < lines.length;) {
            address owner = lines[i].account;
            if (owner <= last) revert NotAscending();
            last = owner;
            i = _applyAccount(owner, markets, lines, i, work);
        }
        _store(markets, work);
    }

    /// @dev Applies the lines of one account, which begin at `i`, and returns where the next account's begin.
    function _applyAccount(
        address owner,
        bytes32[] calldata markets,
        Line[] calldata lines,
        uint256 i,
        Work[] memory work
    ) private returns (uint256) {
        Account memory account = _accounts[owner].load();
        Sum memory sum = Sum(int256(uint256(account.free)), int256(uint256(account.used)));
        for (; i < lines.length && lines[i].account == owner; ++i) {
            _applyLine(lines[i], owner, markets, work, sum);
        }
        if (sum.free < 0) revert NotFree(owner);
        if (owner != sink) _checkAllowed(owner, account, sum.used);
        account.free = sum.free.toUint256().toUint64();
        account.used = sum.used.toUint256().toUint64();
        _accounts[owner].save(account);
        return i;
    }

    function _applyLine(
        Line calldata line,
        address owner,
        bytes32[] calldata markets,
        Work[] memory work,
        Sum memory sum
    ) private {
        (uint256 place, int256 cash) = (line.market, line.cash);
        (int256 fixedUnits, int256 unfixedUnits) = (line.fixedUnits, line.unfixedUnits);
        Position storage stored = _positions[markets[place]][owner];
        Position memory before = stored.load();
        Position memory now_ = before.traded(cash, fixedUnits, unfixedUnits);
        stored.save(now_);
        Work memory market = work[place];
        // Sums of numbers of 80 bits at most: no batch is long enough to reach the end of a word.
        unchecked {
            sum.free += cash;
            sum.used += int256(uint256(now_.loss)) - int256(uint256(before.loss));
            market.cash += cash;
            market.fixedUnits += fixedUnits;
            market.unfixedUnits += unfixedUnits;
        }
        _shift(market, before, now_);
    }

    /// @dev Keeps the sums of the law of VOID.
    function _shift(Work memory market, Position memory before, Position memory now_) private pure {
        (uint256 above, uint256 below) = before.distance();
        (uint256 aboveNow, uint256 belowNow) = now_.distance();
        // What a position adds to a sum is in it.
        unchecked {
            market.excess = market.excess + aboveNow - above;
            market.gap = market.gap + belowNow - below;
        }
    }

    function _checkAllowed(address owner, Account memory account, int256 used) private view {
        if (block.timestamp > account.until + LATE) revert NotAllowed(owner);
        bool raised = used > int256(uint256(account.used));
        if (raised && used > int256(uint256(account.maxLoss))) revert LossTooLarge(owner);
    }

    function _load(bytes32[] calldata markets) private view returns (Work[] memory work) {
        work = new Work[](markets.length);
        for (uint256 i = 0; i < markets.length; ++i) {
            // The same market twice would be written by two hands.
            if (i > 0 && markets[i] <= markets[i - 1]) revert NotAscending();
            Market storage market = _markets[markets[i]];
            bool late = block.timestamp > market.maturation + LATE;
            if (market.status != Status.Open || late) revert NotOpen(markets[i]);
            work[i].units = int256(uint256(market.units));
            work[i].excess = market.excess;
            work[i].gap = market.gap;
        }
    }

    function _store(bytes32[] calldata markets, Work[] memory work) private {
        for (uint256 i = 0; i < markets.length; ++i) {
            Work memory done = work[i];
            bool paired = done.fixedUnits == done.unfixedUnits;
            if (!paired || done.cash + int256(Law.UNIT) * done.fixedUnits != 0) {
                revert NotConserved(markets[i]);
            }
            Market storage market = _markets[markets[i]];
            market.units = (done.units + done.fixedUnits).toUint256().toUint48();
            market.excess = done.excess.toUint64();
            market.gap = done.gap.toUint64();
        }
    }

    /// @dev Blocks until 90 days after maturation: a chain that stood still over it has given the oracle no time.
    function _escapeBlock(uint256 maturation) private view returns (uint64) {
        uint256 left = maturation + ESCAPE_DAYS * 1 days - block.timestamp;
        return (block.number + left * blocksPerDay / 1 days).toUint64();
    }

    // ---- units that move ----

    function _takeUnits(bool taken) internal {
        takesUnits[msg.sender] = taken;
        emit UnitsWelcome(msg.sender, taken);
    }

    function _requestExitUnits(bytes32 market, bool fixedSide, uint48 units, address to) internal {
        if (units == 0) revert NothingAsked();
        if (units > _leaving(_positions[market][msg.sender], fixedSide)) revert NoUnits(msg.sender);
        if (to == msg.sender) revert BadReceiver(to);
        if (!takesUnits[to]) revert UnitsUnwelcome(to);
        unitExitOf[market][msg.sender] = UnitExit(units, fixedSide, uint48(block.timestamp), uint48(block.number), to);
        emit UnitExitRequested(market, msg.sender, to, fixedSide, units);
    }

    function _exitUnits(bytes32 market) internal {
        UnitExit memory request = unitExitOf[market][msg.sender];
        _checkRipe(request.time, request.blockNumber);
        if (_finalOutcome(market) != Outcome.None) revert IsFinal(market);
        if (!takesUnits[request.to]) revert UnitsUnwelcome(request.to);
        delete unitExitOf[market][msg.sender];
        Position memory from = _positions[market][msg.sender];
        uint256 most = _leaving(from, request.fixedSide);
        uint48 units = request.units < most ? request.units : uint48(most);
        if (units == 0) revert NothingLeft();
        _move(market, from, request.to, request.fixedSide, units);
    }

    /// @dev The mover uses less by what it had paid for the units; the receiver uses nothing for what it was given.
    function _move(bytes32 market, Position memory from, address to, bool fixedSide, uint48 units) private {
        uint256 paid = from.share(units);
        int256 fixedUnits = fixedSide ? int256(uint256(units)) : int256(0);
        int256 unfixedUnits = fixedSide ? int256(0) : int256(uint256(units));
        Position memory left = from.traded(int256(paid), -fixedUnits, -unfixedUnits);
        _replace(market, msg.sender, from, left);
        Position memory into = _positions[market][to];
        Position memory got = into.traded(0, fixedUnits, unfixedUnits);
        got.netPaid = (int256(into.netPaid) + int256(paid)).toInt80();
        _replace(market, to, into, got);
        emit UnitsExited(market, msg.sender, to, fixedSide, units, paid);
    }

    function _replace(bytes32 id, address owner, Position memory before, Position memory now_) private {
        Market storage market = _markets[id];
        (uint256 above, uint256 below) = before.distance();
        (uint256 aboveNow, uint256 belowNow) = now_.distance();
        uint256 excess = market.excess + aboveNow - above;
        uint256 gap = market.gap + belowNow - below;
        (market.excess, market.gap) = (excess.toUint64(), gap.toUint64());
        uint256 used = uint256(_accounts[owner].used) + now_.loss - before.loss;
        _accounts[owner].used = used.toUint64();
        _positions[id][owner] = now_;
    }

    function _leaving(Position memory from, bool fixedSide) private pure returns (uint256) {
        return (fixedSide ? from.fixedUnits : from.unfixedUnits) - from.pairs();
    }

    /// @dev The outcome once nothing can change it any more, else None.
    function _finalOutcome(bytes32 id) internal view returns (Outcome) {
        Market storage market = _markets[id];
        if (market.status == Status.Final) return market.outcome;
        bool stood = market.status == Status.Reported && _passed(market.time, market.blockNumber, CHALLENGE_DAYS);
        return stood ? market.outcome : Outcome.None;
    }
}
