"""The body of `POST /v1/audits`, as pydantic sees it."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator
from typing_extensions import TypeAliasType

from algorithms.errors import Refused
from algorithms.registry import MethodParams
from audits.asking.drafts import RECIPES
from audits.policy import policy
from audits.policy.policy import Policy
from jobs.request import Positive, Selection, ThreatRequest
from models.record import Record

if TYPE_CHECKING:
    RecipeName = str
else:
    RecipeName = TypeAliasType("RecipeName", Literal[tuple(RECIPES)])  # an alias has a name in the OpenAPI document
MAX_METHODS = 20


def _with_parameters(given: Any) -> Any:
    return {"name": given} if isinstance(given, str) else given


MethodChoice = Annotated[MethodParams, BeforeValidator(_with_parameters, json_schema_input_type=str | MethodParams)]
Methods = Annotated[list[MethodChoice], Field(min_length=1, max_length=MAX_METHODS)]
Recipe = Annotated[  # told apart before they are read: an error speaks of what was meant
    Annotated[RecipeName, Tag("recipe")] | Annotated[Methods, Tag("methods")],
    Discriminator(lambda given: "methods" if isinstance(given, list) else "recipe"),
]


class AuditBudget(Record):
    """What an audit may cost in all. `seconds`: of computing, all its jobs together; null: no limit.

    No later phase begins when they are spent. From half of them on no method does but the one that closes brackets,
    which has all that is left.
    """

    seconds: Positive | None = None
    queries_total: Any = Field(None, exclude=True, description="Reserved.")


class AuditRequest(Record):
    """A request needs model_id and samples_id. `policy` may be the text of a JSON or YAML file.

    A method of `recipe` is its name, or an object with its name and parameters.
    """

    model_id: str
    samples_id: str
    recipe: Recipe = "quick-1"
    threat: ThreatRequest = ThreatRequest()
    policy: Policy | None = None
    baseline_audit_id: str | None = None
    webhook: Any = Field(None, exclude=True, description="Reserved.")
    samples: Selection = Selection()
    budget: AuditBudget = AuditBudget()
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = 0

    @field_validator("policy", mode="before", json_schema_input_type=Policy | str | None)
    @classmethod
    def _from_text(cls, given: Any) -> Any:
        try:
            return policy.from_text(given) if isinstance(given, str) else given
        except Refused as refused:
            raise ValueError(refused.detail) from None

    @field_validator("recipe")
    @classmethod
    def _names_differ(cls, recipe: str | list[MethodParams]) -> str | list[MethodParams]:
        if isinstance(recipe, list) and len({method.name for method in recipe}) < len(recipe):
            raise ValueError("name each method once")
        return recipe
