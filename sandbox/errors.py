"""GitHub's refusals: a status and a message, in the shape in which GitHub words them."""

from __future__ import annotations

from sandbox.state import Json

DOCS = "https://docs.github.com/rest"


class ApiError(Exception):
    def __init__(self, status: int, message: str, errors: list[Json] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers: dict[str, str] = {}

    def body(self) -> Json:
        body: Json = {"message": self.message, "documentation_url": DOCS, "status": str(self.status)}
        return body if self.errors is None else {**body, "errors": self.errors}


def bad_credentials() -> ApiError:
    return ApiError(401, "Bad credentials")


def bad_jwt(why: str) -> ApiError:
    return ApiError(401, why)


def not_found() -> ApiError:
    return ApiError(404, "Not Found")


def not_accessible() -> ApiError:
    return ApiError(403, "Resource not accessible by integration")


def suspended() -> ApiError:
    return ApiError(403, "This installation has been suspended")


def invalid(resource: str, field: str, code: str, message: str | None = None) -> ApiError:
    error: Json = {"resource": resource, "field": field, "code": code}
    if message:
        error["message"] = message
    return ApiError(422, "Validation Failed", [error])
