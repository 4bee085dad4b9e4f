// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {Account, Key, Line, Market, Opening, Outcome, Position, Status} from "../../src/interfaces/Types.sol";
import {Law} from "../../src/Law.sol";
import {Base} from "./Base.sol";

/// @title Legal calls alone, with numbers bent until they are; what everybody paid in and took out is kept beside.
contract Handler is Base {
    using Law for Position;

    address[] public people;
    bytes32[] public markets;
    mapping(address account => uint256 mills) public paidIn;
    mapping(address account => uint256 mills) public out;
    mapping(address account => uint256 mills) public mostAllowed;
    mapping(address account => uint256 mills) public realised;

    uint256 private constant MARKETS = 3;
    uint256 private constant PEOPLE = 5;

    function begin() external {
        setUp();
        for (uint256 i = 0; i < PEOPLE; ++i) {
            address who = vm.addr(0xE0 + i);
            people.push(who);
            person(who, PURSE, i == 4 ? uint64(20_000) : uint64(500_000));
            paidIn[who] = PURSE;
            mostAllowed[who] = i == 4 ? 20_000 : 500_000;
            vm.prank(who);
            escrow.takeUnits(i % 2 == 0);
        }
        people.push(sink);
        for (uint256 i = 0; i < MARKETS; ++i) {
            markets.push(bytes32(i + 1));
            opens(markets[i], START + 100 days);
        }
        settle();
    }

    function moves() external pure returns (bytes4[] memory found) {
        found = new bytes4[](14);
        found[0] = this.mints.selector;
        found[1] = this.sells.selector;
        found[2] = this.nets.selector;
        found[3] = this.losesBond.selector;
        found[4] = this.deposits.selector;
        found[5] = this.exits.selector;
        found[6] = this.allows.selector;
        found[7] = this.movesUnits.selector;
        found[8] = this.reports.selector;
        found[9] = this.challenges.selector;
        found[10] = this.answersChallenge.selector;
        found[11] = this.redeems.selector;
        found[12] = this.escapes.selector;
        found[13] = this.sells.selector;
    }

    // ---- moves ----

    function mints(uint256 yes, uint256 no, uint256 m, uint256 units, uint256 price) external {
        (address a, address b, bytes32 id) = (someone(yes), someone(no), someMarket(m));
        if (a == b || !trades(id)) return;
        price = price % 1001;
        units = atMost(units, 60);
        units = atMost(units, affordable(a, price));
        units = atMost(units, affordable(b, 1000 - price));
        if (units == 0) return;
        mint(id, a, b, units, price);
        trySettle();
    }

    function sells(uint256 seller, uint256 buyer, uint256 m, uint256 units, uint256 price, bool fixedSide) external {
        (address a, address b, bytes32 id) = (someone(seller), someone(buyer), someMarket(m));
        if (a == b || !trades(id)) return;
        price = price % 1001;
        Position memory held = escrow.positionOf(id, a);
        units = atMost(units, fixedSide ? held.fixedUnits : held.unfixedUnits);
        units = atMost(units, affordable(b, fixedSide ? price : 1000 - price));
        if (units == 0) return;
        if (fixedSide) sellFixed(id, a, b, units, price);
        else sellUnfixed(id, a, b, units, price);
        trySettle();
    }

    function nets(uint256 who, uint256 m) external {
        (address a, bytes32 id) = (someone(who), someMarket(m));
        uint256 pairs = escrow.positionOf(id, a).pairs();
        if (!trades(id) || pairs == 0) return;
        line(id, a, int256(1000 * pairs), -int256(pairs), -int256(pairs));
        settle();
    }

    function losesBond(uint256 who, uint256 m, uint256 mills) external {
        (address a, bytes32 id) = (someone(who), someMarket(m));
        mills = atMost(mills, affordable(a, 1));
        if (!trades(id) || mills == 0) return;
        line(id, a, -int256(mills), 0, 0);
        line(id, sink, int256(mills), 0, 0);
        trySettle();
    }

    function deposits(uint256 who, uint256 mills) external {
        address a = someone(who);
        mills = atMost(mills, token.balanceOf(a) / MILL);
        mills = atMost(mills, 50_000);
        if (mills == 0) return;
        vm.prank(a);
        escrow.deposit(uint64(mills));
        paidIn[a] += mills;
    }

    function exits(uint256 who, uint256 mills) external {
        address a = someone(who);
        mills = atMost(mills, free(a));
        if (mills == 0) return;
        leaves(a, uint64(mills));
    }

    function allows(uint256 who, uint256 maxLoss) external {
        address a = someone(who);
        maxLoss = maxLoss % 600_000;
        vm.prank(a);
        escrow.allow(uint64(maxLoss), FAR);
        if (maxLoss < escrow.accountOf(a).maxLoss) {
            pass(1 days);
            vm.prank(a);
            escrow.lowerAllowance();
        }
        if (maxLoss > mostAllowed[a]) mostAllowed[a] = maxLoss;
    }

    function movesUnits(uint256 from, uint256 to, uint256 m, uint256 units, bool fixedSide) external {
        (address a, address b, bytes32 id) = (someone(from), someone(to), someMarket(m));
        Position memory held = escrow.positionOf(id, a);
        units = atMost(units, (fixedSide ? held.fixedUnits : held.unfixedUnits) - held.pairs());
        if (a == b || units == 0 || !escrow.takesUnits(b)) return;
        Status status = escrow.marketOf(id).status;
        if (status != Status.Open && status != Status.Challenged) return;
        // What was paid for units that are moved is an exit of as much.
        out[a] += held.share(units);
        vm.prank(a);
        escrow.requestExitUnits(id, fixedSide, uint48(units), b);
        pass(1 days);
        vm.prank(a);
        escrow.exitUnits(id);
    }

    function reports(uint256 m, uint256 outcome) external {
        bytes32 id = someMarket(m);
        Outcome what = Outcome(outcome % 3 + 1);
        bool early = what == Outcome.Unfixed && time() < escrow.marketOf(id).maturation;
        if (outcome % 16 > 3 || early || escrow.marketOf(id).status != Status.Open) return;
        report(id, what);
    }

    function challenges(uint256 who, uint256 m) external {
        (address a, bytes32 id) = (someone(who), someMarket(m));
        if (escrow.marketOf(id).status != Status.Reported || escrow.outcomeOf(id) != Outcome.None) return;
        uint64 bond = escrow.bondOf(id);
        bool fromWallet = free(a) < bond;
        if (fromWallet && token.balanceOf(a) < bond * MILL) return;
        if (fromWallet) paidIn[a] += bond;
        out[a] += bond;
        vm.prank(a);
        escrow.challenge(id, fromWallet);
    }

    function answersChallenge(uint256 m, bool stands) external {
        bytes32 id = someMarket(m);
        if (escrow.marketOf(id).status != Status.Challenged) return;
        if (!stands) bondReturns(id);
        vm.prank(arbiter);
        escrow.answer(id, stands);
    }

    function redeems(uint256 who, uint256 m) external {
        (address a, bytes32 id) = (someone(who), someMarket(m));
        if (escrow.outcomeOf(id) == Outcome.None) pass(1 days);
        if (escrow.outcomeOf(id) == Outcome.None) return;
        pays(id, a);
    }

    function escapes(uint256 m, uint256 chance) external {
        bytes32 id = someMarket(m);
        if (chance % 16 != 0) return;
        Status status = escrow.marketOf(id).status;
        if (status == Status.Challenged) {
            pass(30 days);
            bondReturns(id);
            escrow.escape(id);
        } else if (status == Status.Open && time() >= START + 190 days) {
            escrow.escape(id);
        }
    }

    /// @dev Ends whatever is not ended, pays everybody and lets them leave.
    function endAll() external {
        pass(200 days);
        for (uint256 i = 0; i < MARKETS; ++i) {
            bytes32 id = markets[i];
            Status status = escrow.marketOf(id).status;
            if (status == Status.Open || status == Status.Challenged) escrow.escape(id);
            vm.assertTrue(escrow.outcomeOf(id) != Outcome.None, "every market ends");
            escrow.redeemMany(id, people);
            Market memory market = escrow.marketOf(id);
            eq(market.paid, 1000 * uint256(market.units), "the market empties");
        }
        for (uint256 i = 0; i < people.length; ++i) {
            if (free(people[i]) > 0) leaves(people[i], free(people[i]));
        }
    }

    // ---- what invariants read ----

    function count() external view returns (uint256) {
        return people.length;
    }

    function marketCount() external pure returns (uint256) {
        return MARKETS;
    }

    function drain() external view returns (address) {
        return sink;
    }

    function accountOf(address who) external view returns (Account memory) {
        return escrow.accountOf(who);
    }

    function positionOf(bytes32 id, address who) external view returns (Position memory) {
        return escrow.positionOf(id, who);
    }

    function marketOf(bytes32 id) external view returns (Market memory) {
        return escrow.marketOf(id);
    }

    function heldMills() external view returns (uint256) {
        return escrow.held();
    }

    function balance() external view returns (uint256) {
        return token.balanceOf(address(escrow));
    }

    function unitsPerMill() external view returns (uint256) {
        return escrow.unitsPerMill();
    }

    // ---- inside ----

    function someone(uint256 number) private view returns (address) {
        return people[number % PEOPLE];
    }

    function someMarket(uint256 number) private view returns (bytes32) {
        return markets[number % MARKETS];
    }

    function trades(bytes32 id) private view returns (bool) {
        Market memory market = escrow.marketOf(id);
        return market.status == Status.Open && time() <= uint256(market.maturation) + 7 days;
    }

    function atMost(uint256 number, uint256 most) private pure returns (uint256) {
        return number <= most ? number : number % (most + 1);
    }

    function affordable(address who, uint256 price) private view returns (uint256) {
        return price == 0 ? 1000 : free(who) / price;
    }

    /// @dev A line that breaks an allowance is the one thing that may be refused here, and only for that reason.
    function trySettle() private {
        (Opening[] memory openings, bytes32[] memory named, Line[] memory lines) = batch();
        try this.settleFor(openings, named, lines) {}
        catch (bytes memory why) {
            bytes32 found = keccak256(abi.encodePacked(bytes4(why)));
            bytes32 expected = keccak256(abi.encodePacked(bytes4(keccak256("LossTooLarge(address)"))));
            vm.assertEq(found, expected, "refused for another reason");
        }
    }

    function settleFor(Opening[] calldata openings, bytes32[] calldata named, Line[] calldata lines) external {
        settleRaw(openings, named, lines);
    }

    function leaves(address who, uint64 mills) private {
        vm.prank(who);
        escrow.requestExit(mills);
        pass(1 days);
        vm.prank(who);
        escrow.exit(who);
        out[who] += mills;
    }

    function pays(bytes32 id, address who) private {
        uint256 feared = escrow.positionOf(id, who).loss;
        uint256 before = used(who);
        address[] memory list = new address[](1);
        list[0] = who;
        escrow.redeemMany(id, list);
        bool gone = escrow.positionOf(id, who).loss == 0;
        if (gone) realised[who] += used(who) + feared - before;
    }

    function bondReturns(bytes32 id) private {
        out[escrow.marketOf(id).challenger] -= escrow.marketOf(id).bond;
    }
}
