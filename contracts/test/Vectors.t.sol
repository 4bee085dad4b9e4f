// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {PlentyToken} from "./support/PlentyToken.sol";
import {Account, Outcome} from "../src/interfaces/Types.sol";
import {Base} from "./support/Base.sol";

/// @title Pay-outs of VOID that the market core has reckoned: the escrow gives the same, floored.
contract VectorsTest is Base {
    uint256 private constant PEOPLE = 7;

    function test_void_is_the_journals_to_the_mill() public {
        address[] memory people = funded();
        string memory json = vm.readFile("vectors/void.json");
        uint256 count = vm.parseJsonUint(json, ".count");
        vm.assertGe(count, 300, "cases");
        bool whole = vm.envOr("WHOLE", false);
        for (uint256 i = 0; i < count; i += whole ? 1 : 8) {
            string memory path = string.concat(".cases[", vm.toString(i), "]");
            plays(people, json, path, bytes32(i + 1));
        }
    }

    function plays(address[] memory people, string memory json, string memory path, bytes32 market) private {
        int256[] memory numbers = vm.parseJsonIntArray(json, string.concat(path, ".lines"));
        opens(market, START + 60 days);
        for (uint256 i = 0; i < numbers.length; i += 4) {
            line(market, people[uint256(numbers[i])], numbers[i + 1], numbers[i + 2], numbers[i + 3]);
        }
        settle();
        report(market, Outcome.Void);
        uint256[] memory before = purses(people);
        uint256 dust = free(sink);
        pass(1 days);
        escrow.redeemMany(market, people);
        compares(json, path, people, before);
        eq(free(sink) - dust, vm.parseJsonUint(json, string.concat(path, ".dust")), "dust");
        vm.warp(START);
    }

    function compares(string memory json, string memory path, address[] memory people, uint256[] memory before)
        private
        view
    {
        uint256[] memory floored = vm.parseJsonUintArray(json, string.concat(path, ".floored"));
        uint256[] memory journal = vm.parseJsonUintArray(json, string.concat(path, ".journal"));
        for (uint256 i = 0; i < floored.length; ++i) {
            uint256 paid = free(people[i]) - before[i];
            eq(paid, floored[i], string.concat(path, ": floored"));
            vm.assertTrue(paid == journal[i] || paid + 1 == journal[i], "the odd mill alone differs");
        }
    }

    function funded() private returns (address[] memory people) {
        PlentyToken plenty = new PlentyToken();
        escrow = deploy(address(plenty));
        people = new address[](PEOPLE);
        for (uint256 i = 0; i < PEOPLE; ++i) {
            people[i] = vm.addr(0xD0 + i);
            escrow.depositFor(people[i], 1e15);
            vm.prank(people[i]);
            escrow.allow(1e18, FAR);
        }
    }

    function purses(address[] memory people) private view returns (uint256[] memory mills) {
        mills = new uint256[](people.length);
        for (uint256 i = 0; i < people.length; ++i) {
            mills[i] = free(people[i]);
        }
    }
}
