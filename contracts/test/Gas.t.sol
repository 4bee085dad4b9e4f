// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";

import {Line, Opening} from "../src/interfaces/Types.sol";
import {Base} from "./support/Base.sol";

/// @title What a fill costs in batches, beside the same fill done alone with one token transfer and one mint for each.
contract GasTest is Base {
    uint256 private constant ACCOUNTS = 202;
    uint256 private constant PERCENT_NEW = 70;
    uint256 private constant PERCENT_EXISTING = 35;
    string private constant FILE = "gas.json";

    address[] private people;
    PlainFill private plain;

    function setUp() public override {
        super.setUp();
        plain = new PlainFill(token);
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            people.push(address(uint160(uint256(keccak256(abi.encode("who", i))))));
        }
        for (uint256 i = 0; i < 20; ++i) {
            token.faucet(vm.addr(i + 1));
        }
        vm.startPrank(vm.addr(1));
        token.approve(address(escrow), type(uint256).max);
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            escrow.depositFor(people[i], 4321);
        }
        vm.stopPrank();
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            vm.prank(people[i]);
            escrow.allow(1_000_000, FAR);
        }
        for (uint256 i = 0; i < 10; ++i) {
            opens(marketNo(i), START + 60 days);
        }
        // A market that others trade already: its slots are not new.
        mint(marketNo(0), people[200], people[201], 1, 400);
        settle();
    }

    function marketNo(uint256 i) private pure returns (bytes32) {
        return bytes32(uint256(keccak256("market")) + i);
    }

    function measured() private returns (uint256) {
        (Opening[] memory openings, bytes32[] memory markets, Line[] memory lines) = batch();
        settleRaw(openings, markets, lines);
        return vm.lastCallGas().gasTotalUsed;
    }

    /// @dev Fills between as many pairs of people, over so many markets.
    function fills(uint256 count, uint256 markets) private returns (uint256) {
        for (uint256 i = 0; i < count; ++i) {
            mint(marketNo(i % markets), people[(2 * i) % 200], people[(2 * i + 1) % 200], 1, 400);
        }
        return measured() / count;
    }

    /// @dev Fills among ten people who trade one way and back, of which one line each is left.
    function netted(uint256 count) private returns (uint256) {
        uint256 lines = count < 5 ? 2 * count : 10;
        for (uint256 i = 0; i < lines; ++i) {
            bool yes = i % 2 == 0;
            line(marketNo(0), people[i], yes ? -400 : -600, yes ? int256(1) : int256(0), yes ? int256(0) : int256(1));
        }
        return measured() / count;
    }

    function alone() private returns (uint256) {
        (address a, address b) = (vm.addr(2), vm.addr(3));
        for (uint256 i = 2; i <= 5; ++i) {
            vm.prank(vm.addr(i));
            token.approve(address(plain), type(uint256).max);
        }
        plain.fill(vm.addr(4), vm.addr(5), 400 * MILL, 600 * MILL, 1); // the contract's own slots are not new
        plain.fill(a, b, 400 * MILL, 600 * MILL, 1);
        return vm.lastCallGas().gasTotalUsed;
    }

    function row(string memory kind, uint256[4] memory gas) private pure returns (string memory) {
        string memory text =
            string.concat('  "', kind, '": {"1": ', vm.toString(gas[0]), ', "10": ', vm.toString(gas[1]));
        return string.concat(text, ', "50": ', vm.toString(gas[2]), ', "100": ', vm.toString(gas[3]), "}");
    }

    /// @dev Each number with accounts and positions as if nothing had gone before it.
    function table(uint256 reference_) private returns (string memory) {
        uint256[4] memory counts = [uint256(1), 10, 50, 100];
        uint256[4] memory new_;
        uint256[4] memory existing;
        uint256[4] memory ten;
        uint256[4] memory netting;
        for (uint256 i = 0; i < 4; ++i) {
            uint256 before = ISnapshots(address(vm)).snapshotState();
            new_[i] = fills(counts[i], 1);
            existing[i] = fills(counts[i], 1);
            ISnapshots(address(vm)).revertToState(before);
            fills(counts[i], 10);
            ten[i] = fills(counts[i], 10);
            ISnapshots(address(vm)).revertToState(before);
            netted(counts[i]);
            netting[i] = netted(counts[i]);
            ISnapshots(address(vm)).revertToState(before);
        }
        vm.assertLe(100 * new_[2], PERCENT_NEW * reference_, "new, in batches of 50");
        vm.assertLe(100 * existing[2], PERCENT_EXISTING * reference_, "existing, in batches of 50");
        string memory rows = string.concat(row("new", new_), ",\n", row("existing", existing), ",\n");
        rows = string.concat(rows, row("ten markets", ten), ",\n", row("netting", netting), "\n}\n");
        return string.concat('{\n  "alone": ', vm.toString(reference_), ",\n", rows);
    }

    function test_gas_of_a_fill_is_as_committed() public {
        string memory found = table(alone());
        if (vm.envOr("WRITE_GAS", false)) vm.writeFile(FILE, found);
        vm.assertEq(
            keccak256(bytes(found)), keccak256(bytes(vm.readFile(FILE))), string.concat(FILE, " says otherwise")
        );
    }
}

interface ISnapshots {
    function snapshotState() external returns (uint256);
    function revertToState(uint256 id) external returns (bool);
}

/// @dev The reference: money is pulled from both sides, and each is minted a token of its side.
contract PlainFill is ERC1155 {
    IERC20 private immutable _token;

    constructor(IERC20 token) ERC1155("") {
        _token = token;
    }

    function fill(address yes, address no, uint256 yesPays, uint256 noPays, uint256 units) external {
        require(_token.transferFrom(yes, address(this), yesPays));
        require(_token.transferFrom(no, address(this), noPays));
        _mint(yes, 1, units, "");
        _mint(no, 2, units, "");
    }
}
