// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {IBugMarkEscrow} from "./interfaces/IBugMarkEscrow.sol";
import {Key} from "./interfaces/Types.sol";
import {Windows} from "./Windows.sol";

/// @title Five powers with different keys: no key alone decides an outcome, and every change of a key can be seen coming.
abstract contract Keys is Windows {
    struct Appointment {
        address holder;
        uint48 time;
        uint48 blockNumber;
    }

    uint256 internal constant KEYS = 5;
    uint256 internal constant NOTICE_DAYS = 7;
    uint256 internal constant GUARDIAN_NOTICE_DAYS = 30;

    /// @inheritdoc IBugMarkEscrow
    address public immutable sink;

    /// @inheritdoc IBugMarkEscrow
    mapping(Key key => address holder) public holderOf;

    /// @inheritdoc IBugMarkEscrow
    mapping(Key key => Appointment appointment) public appointmentOf;

    modifier only(Key key) {
        _checkHolder(key);
        _;
    }

    constructor(address[5] memory holders, address sink_) {
        if (sink_ == address(0)) revert NotDistinct(sink_);
        sink = sink_;
        for (uint256 i = 0; i < KEYS; ++i) {
            _checkDistinct(holders[i], sink_);
            holderOf[Key(i)] = holders[i];
        }
    }

    function _revoke(Key key) internal {
        if (key == Key.Guardian || key == Key.Owner) revert NotOfGuardian(key);
        emit Revoked(key, holderOf[key]);
        holderOf[key] = address(0);
    }

    function _appoint(Key key, address holder) internal {
        _checkDistinct(holder, sink);
        appointmentOf[key] = Appointment(holder, uint48(block.timestamp), uint48(block.number));
        emit Appointed(key, holder);
    }

    function _strike(Key key) internal {
        if (key == Key.Guardian) revert NotOfGuardian(key);
        address holder = appointmentOf[key].holder;
        if (holder == address(0)) revert NotAppointed(key);
        delete appointmentOf[key];
        emit Struck(key, holder);
    }

    function _take(Key key) internal {
        Appointment memory made = appointmentOf[key];
        if (made.holder != msg.sender) revert NotAppointed(key);
        uint256 notice = key == Key.Guardian ? GUARDIAN_NOTICE_DAYS : NOTICE_DAYS;
        if (!_passed(made.time, made.blockNumber, notice)) revert TooEarly();
        _checkDistinct(msg.sender, sink);
        delete appointmentOf[key];
        holderOf[key] = msg.sender;
        emit Taken(key, msg.sender);
    }

    function _checkHolder(Key key) private view {
        if (msg.sender != holderOf[key]) revert NotHolder(key);
    }

    function _checkDistinct(address holder, address sink_) private view {
        bool distinct = holder != address(0) && holder != sink_;
        for (uint256 i = 0; i < KEYS; ++i) {
            distinct = distinct && holder != holderOf[Key(i)];
        }
        if (!distinct) revert NotDistinct(holder);
    }
}
