// SPDX-License-Identifier: MPL-2.0
pragma solidity 0.8.37;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {IBugMarkEscrow} from "./interfaces/IBugMarkEscrow.sol";
import {Account, Key} from "./interfaces/Types.sol";
import {Keys} from "./Keys.sol";

/// @title Accounts: deposits, what trading may cost, and the ways out that nobody can close.
abstract contract Vault is Keys, EIP712, ReentrancyGuard {
    using SafeERC20 for IERC20Metadata;

    struct Exit {
        uint64 mills;
        uint48 time;
        uint48 blockNumber;
    }

    struct Lowering {
        uint64 maxLoss;
        uint40 until;
        uint48 time;
        uint48 blockNumber;
    }

    uint256 internal constant MOST_MILLS = 9e15;

    /// @notice Lines that were agreed in time are taken for this long after an allowance or a market has ended.
    uint256 internal constant LATE = 7 days;

    bytes32 internal constant EXIT_TYPE =
        keccak256("ExitNow(address account,address to,uint64 mills,uint256 nonce,uint256 deadline)");

    IERC20Metadata internal immutable _token;

    /// @inheritdoc IBugMarkEscrow
    uint256 public immutable unitsPerMill;

    /// @inheritdoc IBugMarkEscrow
    uint64 public held;

    /// @inheritdoc IBugMarkEscrow
    uint64 public batchNumber;

    /// @inheritdoc IBugMarkEscrow
    bool public paused;

    mapping(address account => Account data) internal _accounts;

    /// @inheritdoc IBugMarkEscrow
    mapping(address account => Exit request) public exitOf;

    /// @inheritdoc IBugMarkEscrow
    mapping(address account => Lowering wish) public loweringOf;

    /// @inheritdoc IBugMarkEscrow
    mapping(address account => mapping(uint256 nonce => bool used)) public nonceUsed;

    modifier running() {
        if (paused) revert IsPaused();
        _;
    }

    constructor(IERC20Metadata token_) EIP712("BugMarkEscrow", "1") {
        uint8 decimals = token_.decimals();
        if (decimals < 3 || decimals > 36) revert BadDecimals(decimals);
        _token = token_;
        unitsPerMill = 10 ** (decimals - 3);
    }

    function _pause() internal {
        if (paused) revert IsPaused();
        paused = true;
        emit Paused();
    }

    function _unpause() internal {
        if (!paused) revert NotPaused();
        paused = false;
        emit Unpaused();
    }

    function _deposit(address account, uint64 mills) internal {
        if (account == address(0) || account == address(this)) revert BadReceiver(account);
        _accounts[account].free += mills;
        emit Deposited(account, msg.sender, mills);
        _pull(mills);
    }

    function _depositWithPermit(uint64 mills, uint256 deadline, uint8 v, bytes32 r, bytes32 s) internal {
        // Whoever saw this transaction may have sent the permit ahead; what counts is the allowance that it leaves.
        try IERC20Permit(address(_token)).permit(msg.sender, address(this), mills * unitsPerMill, deadline, v, r, s) {}
            catch {}
        _deposit(msg.sender, mills);
    }

    function _allow(uint64 maxLoss, uint40 until) internal {
        Account storage account = _accounts[msg.sender];
        bool over = block.timestamp > account.until + LATE;
        if (over || (maxLoss >= account.maxLoss && until >= account.until)) {
            delete loweringOf[msg.sender];
            _setAllowance(account, maxLoss, until);
        } else {
            loweringOf[msg.sender] = Lowering(maxLoss, until, uint48(block.timestamp), uint48(block.number));
            emit LoweringRequested(msg.sender, maxLoss, until);
        }
    }

    function _lowerAllowance() internal {
        Lowering memory wish = loweringOf[msg.sender];
        _checkRipe(wish.time, wish.blockNumber);
        delete loweringOf[msg.sender];
        _setAllowance(_accounts[msg.sender], wish.maxLoss, wish.until);
    }

    function _requestExit(uint64 mills) internal {
        if (mills == 0) revert NothingAsked();
        if (mills > _accounts[msg.sender].free) revert NotFree(msg.sender);
        exitOf[msg.sender] = Exit(mills, uint48(block.timestamp), uint48(block.number));
        emit ExitRequested(msg.sender, mills);
    }

    function _exit(address to) internal {
        Exit memory request = exitOf[msg.sender];
        _checkRipe(request.time, request.blockNumber);
        delete exitOf[msg.sender];
        uint64 free = _accounts[msg.sender].free;
        _pay(msg.sender, to, request.mills < free ? request.mills : free);
    }

    function _exitNow(address account, address to, uint64 mills, uint256 nonce) internal {
        nonceUsed[account][nonce] = true;
        emit NonceUsed(account, nonce);
        _pay(account, to, mills);
    }

    /// @dev Holds that both have signed: the operator so that no fill is agreed on this money, the account because it is theirs.
    function _checkSigned(
        address account,
        uint256 nonce,
        uint256 deadline,
        bytes32 hash,
        bytes calldata byOperator,
        bytes calldata byAccount
    ) internal view {
        if (block.timestamp > deadline) revert TooLate();
        if (nonceUsed[account][nonce]) revert NonceIsUsed(nonce);
        _checkSignature(holderOf[Key.Operator], hash, byOperator);
        if (msg.sender != account) _checkSignature(account, hash, byAccount);
    }

    function _exitHash(address account, address to, uint64 mills, uint256 nonce, uint256 deadline)
        internal
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(keccak256(abi.encode(EXIT_TYPE, account, to, mills, nonce, deadline)));
    }

    /// @dev Takes exactly so much from the caller's wallet; the caller of this has written down whose it is.
    function _pull(uint64 mills) internal {
        if (mills == 0) revert NothingAsked();
        if (uint256(held) + mills > MOST_MILLS) revert TooMuch();
        held += mills;
        uint256 before = _token.balanceOf(address(this));
        _token.safeTransferFrom(msg.sender, address(this), mills * unitsPerMill);
        if (_token.balanceOf(address(this)) != before + mills * unitsPerMill) revert NotExact();
    }

    function _pay(address account, address to, uint64 mills) private {
        if (to == address(0) || to == address(this)) revert BadReceiver(to);
        if (mills == 0) revert NothingLeft();
        uint64 free = _accounts[account].free;
        if (mills > free) revert NotFree(account);
        _accounts[account].free = free - mills;
        held -= mills;
        emit Exited(account, to, mills);
        _token.safeTransfer(to, mills * unitsPerMill);
    }

    function _setAllowance(Account storage account, uint64 maxLoss, uint40 until) private {
        (account.maxLoss, account.until) = (maxLoss, until);
        emit Allowed(msg.sender, maxLoss, until);
    }

    function _checkSignature(address signer, bytes32 hash, bytes calldata signature) private view {
        bool signed = signer != address(0) && SignatureChecker.isValidSignatureNowCalldata(signer, hash, signature);
        if (!signed) revert BadSignature(signer);
    }
}
