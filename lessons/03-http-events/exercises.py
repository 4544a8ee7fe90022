"""The exercises of lesson 03.

Serve two formats, from a log; take a body that can be anything; say which methods a path has; write an API with Powertools. All of
them are called over HTTP.
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from coldstart.course import Exercise, Requirement, Submission, WrongAnswer, expect


class _Doors:
    """The learner's function behind a function URL (format 2.0) and a REST API (format 1.0), while a requirement is checked."""

    def __init__(self, submission: Submission, **settings: Any) -> None:
        self._submission = submission
        self._function = submission.deploy(**settings).name
        self._lambda, self._rest = submission.aws("lambda"), submission.aws("apigateway")
        self._rest_api = ""
        self.url = self._open_url()

    def __enter__(self) -> _Doors:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._rest_api:
            self._rest.delete_rest_api(restApiId=self._rest_api)

    def rest_address(self) -> str:
        """Make the REST API and return the address of its stage."""
        self._rest_api = self._rest.create_rest_api(name=self._function)["id"]
        root = self._rest.get_resources(restApiId=self._rest_api)["items"][0]["id"]
        everything = self._rest.create_resource(restApiId=self._rest_api, parentId=root, pathPart="{proxy+}")["id"]
        where = {"restApiId": self._rest_api, "resourceId": everything, "httpMethod": "ANY"}
        self._rest.put_method(**where, authorizationType="NONE")
        arn = self._lambda.get_function(FunctionName=self._function)["Configuration"]["FunctionArn"]
        self._rest.put_integration(
            **where,
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
        )
        self._rest.create_deployment(restApiId=self._rest_api, stageName="prod")
        self._permit("rest", "lambda:InvokeFunction", Principal="apigateway.amazonaws.com")
        scheme, _, host = self.url.rstrip("/").partition("://")
        port = host.rpartition(":")[2]
        return f"{scheme}://{self._rest_api}.execute-api.us-east-1.localhost:{port}/prod"

    def answered(self, response: requests.Response) -> str:
        """What a client got, and the error behind it when the function failed."""
        got = f"{response.status_code} {response.text.strip()!r}"
        if response.status_code < 500:
            return got
        found = self._submission.aws("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{self._function}", filterPattern="ERROR"
        )["events"]
        if not found:
            return (
                f"{got}; the log has no error, so it is the form of the answer: the body and each header are one text"
            )
        message = found[-1]["message"]
        lines = re.findall(rf'/var/task/{re.escape(self._submission.exercise.file)}", line (\d+)', message)
        place = f" ({self._submission.exercise.file}, line {lines[-1]})" if lines else ""
        return f"{got}; the log says {message.splitlines()[0].removeprefix('[ERROR] ')}{place}"

    def _open_url(self) -> str:
        url = self._lambda.create_function_url_config(FunctionName=self._function, AuthType="NONE")["FunctionUrl"]
        self._permit("url", "lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")
        self._permit("url-invoke", "lambda:InvokeFunction", InvokedViaFunctionUrl=True)
        return str(url)

    def _permit(self, statement: str, action: str, **settings: Any) -> None:
        self._lambda.add_permission(
            FunctionName=self._function, StatementId=statement, Action=action, **{"Principal": "*", **settings}
        )


# 03.1 ----------------------------------------------------------------------------------------------------------------


def _expect_label(doors: _Doors, address: str, door: str, next_step: str) -> None:
    for query, town in (("town=Porto", "Porto"), ("town=Porto&town=Braga", "Braga")):
        response = requests.get(f"{address}/labels?{query}", timeout=30)
        expect(
            response.status_code == 200 and response.text == f"GET label for {town}",
            expected=f"for /labels?{query} from the {door} the body `GET label for {town}`",
            got=doors.answered(response),
            why="Both are customers of Parcel. Whoever mends one door must not close the other.",
            next_step=next_step,
        )


def _the_till_gets_its_labels(submission: Submission) -> None:
    with _Doors(submission) as doors:
        _expect_label(
            doors,
            doors.rest_address(),
            "till, in format 1.0,",
            "A REST API sends `httpMethod`, and all values of a name in `multiValueQueryStringParameters`. Keep reading them.",
        )


def _the_shop_gets_its_labels(submission: Submission) -> None:
    with _Doors(submission) as doors:
        _expect_label(
            doors,
            doors.url.rstrip("/"),
            "shop, in format 2.0,",
            'In format 2.0 the method is `event["requestContext"]["http"]["method"]`, and the values of one name are joined by '
            "a comma. Split them, and take the last.",
        )


def _no_town_is_a_400(submission: Submission) -> None:
    with _Doors(submission) as doors:
        for door, address in (("till", doors.rest_address()), ("shop", doors.url.rstrip("/"))):
            response = requests.get(f"{address}/labels", timeout=30)
            expect(
                response.status_code == 400,
                expected=f"400 for /labels without a town, from the {door}",
                got=doors.answered(response),
                why="The client forgot something. A 500 makes it try the same again.",
                next_step="Without a query the town is missing in both formats: the key is absent, or its value is `None`. Ask "
                "for it with `.get(...)`, and answer 400 when there is none.",
            )


print_label = Exercise(
    id="03.1",
    title="Two doors, one function",
    objective="read-the-request",
    file="print_label_mended.py",
    handler="print_label_mended.handler",
    runtime="python3.14",
    task=(
        "Mend the label function, so that it serves the shop and the till. When `town` stands in the query twice, the last one "
        "counts; when it is not there, answer with status 400."
    ),
    stub="""\
def handler(event, context):
    town = event["multiValueQueryStringParameters"]["town"][-1]
    return {
        "statusCode": 200,
        "body": f"{event['httpMethod']} label for {town}",
    }
""",
    solution="""\
def handler(event, context):
    if event.get("version") == "2.0":
        method = event["requestContext"]["http"]["method"]
        towns = (
            (event.get("queryStringParameters") or {})
            .get("town", "")
            .split(",")
        )
    else:
        method = event["httpMethod"]
        towns = (event["multiValueQueryStringParameters"] or {}).get(
            "town", [""]
        )
    if not towns[-1]:
        return {"statusCode": 400, "body": "Which town? Add ?town=..."}
    return {"statusCode": 200, "body": f"{method} label for {towns[-1]}"}
""",
    other_solution="""\
def read(event):
    if "httpMethod" in event:
        return event["httpMethod"], event.get("queryStringParameters")
    return event["requestContext"]["http"]["method"], event.get(
        "queryStringParameters"
    )


def handler(event, context):
    method, query = read(event)
    town = (query or {}).get("town")
    if not town:
        return {"statusCode": 400, "body": "The query needs a town."}
    return {
        "statusCode": 200,
        "body": f"{method} label for {town.rpartition(',')[2]}",
    }
""",
    requirements=[
        Requirement("The till gets its labels, in format 1.0", _the_till_gets_its_labels),
        Requirement("The shop gets its labels, in format 2.0", _the_shop_gets_its_labels),
        Requirement("A request without a town is answered with 400", _no_town_is_a_400),
    ],
    wrong_answers=[
        WrongAnswer(
            "goes_over_to_the_new_format",
            code="""\
def handler(event, context):
    town = event["queryStringParameters"]["town"].split(",")[-1]
    return {"statusCode": 200, "body": f"{event['requestContext']['http']['method']} label for {town}"}
""",
            misconception="M44",
            message="from the till, in format 1.0,",
        ),
        WrongAnswer(
            "takes_a_missing_method_for_get",
            code="""\
def handler(event, context):
    query = event.get("queryStringParameters") or {}
    if "town" not in query:
        return {"statusCode": 400, "body": "Which town?"}
    return {"statusCode": 200, "body": f"{event.get('httpMethod', 'GET')} label for {query['town']}"}
""",
            misconception="M44",
            message="'GET label for Porto,Braga'",
        ),
        WrongAnswer(
            "forgets_that_there_may_be_no_query",
            code="""\
def handler(event, context):
    if event.get("version") == "2.0":
        method = event["requestContext"]["http"]["method"]
        town = event["queryStringParameters"]["town"].split(",")[-1]
    else:
        method = event["httpMethod"]
        town = event["multiValueQueryStringParameters"]["town"][-1]
    return {"statusCode": 200, "body": f"{method} label for {town}"}
""",
            misconception="M45",
            message="A 500 makes it try the same again.",
        ),
    ],
    stub_message="from the shop, in format 2.0,",
    hints=[
        "Read the table of the two formats again, the lines for the method and for two values of one name.",
        "The function has to find out which format it got, before it reads anything else. One of them says its `version`, the other does not.",
        'Format 2.0 has the method in `requestContext`, and both towns in one text: "Porto,Braga". A missing query is `None` in one '
        "format, and absent in the other.",
        '`if event.get("version") == "2.0": method = event["requestContext"]["http"][...]; towns = (event.get("queryStringParameters") '
        'or {}).get("town", "").split(...)`',
    ],
    why_solution=(
        "Each format is read in one place, and what comes after knows nothing of formats. The other solution tells them apart by "
        "the key `httpMethod`, and needs no list: format 1.0 gives the last value in `queryStringParameters` anyway."
    ),
)


# 03.2 ----------------------------------------------------------------------------------------------------------------


def _expect_status(doors: _Doors, status: int, what: str, why: str, next_step: str, **request: Any) -> None:
    response = requests.post(f"{doors.url}cards", timeout=30, **request)
    expect(
        response.status_code == status,
        expected=f"{status} for {what}",
        got=doors.answered(response),
        why=why,
        next_step=next_step,
    )


def _cards_are_taken(submission: Submission) -> None:
    with _Doors(submission) as doors:
        for text in ("Happy birthday, Ada", "Olá do Porto"):
            response = requests.post(f"{doors.url}cards", json={"text": text}, timeout=30)
            expect(
                response.status_code == 201 and _document(response) == {"card": text},
                expected=f'201 and {{"card": "{text}"}} for a card that says “{text}”',
                got=doors.answered(response),
                why="This is what the function is for.",
                next_step="Read the text from the body with `json.loads`, and return it under `card`, with status 201.",
            )


def _wrong_cards_are_a_400(submission: Submission) -> None:
    why = "The client can mend it, if you tell it. A 5xx wakes somebody at Parcel instead."
    with _Doors(submission) as doors:
        _expect_status(
            doors,
            400,
            "a body that is no JSON",
            why,
            "`json.loads` raises a `ValueError` for it. Catch that one, and answer.",
            data="{oops",
        )
        _expect_status(
            doors,
            400,
            "a request without a body",
            why,
            "Without a body the key `body` is not there. Use `event.get('body') or ''`.",
        )
        _expect_status(
            doors,
            400,
            "a card without a text",
            why,
            "JSON may be fine and still not be what you asked for. Look whether `text` is there.",
            json={"colour": "red"},
        )
        _expect_status(
            doors,
            400,
            "a list instead of a card",
            why,
            "`json.loads` may give a list, a number or a text as well. Make sure that you have a dict.",
            json=["Happy birthday"],
        )


def _base64_is_read(submission: Submission) -> None:
    with _Doors(submission) as doors:
        response = requests.post(
            f"{doors.url}cards",
            data=b'{"text": "Get well"}',
            headers={"Content-Type": "application/vnd.parcel"},
            timeout=30,
        )
        expect(
            response.status_code == 201 and _document(response) == {"card": "Get well"},
            expected='201 and {"card": "Get well"} from a client whose body arrives in base64',
            got=doors.answered(response),
            why="The old phone app sends a content type of its own, so its body arrives in base64. Its cards count too.",
            next_step="When `event['isBase64Encoded']` is true, the body has to go through `base64.b64decode` first.",
        )


def _document(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


take_card = Exercise(
    id="03.2",
    title="A body can be anything",
    objective="answer-well",
    file="cards.py",
    handler="cards.handler",
    runtime="python3.14",
    task=(
        'Parcel prints greeting cards. A client posts `{"text": "Happy birthday"}` and gets status 201 and '
        '`{"card": "Happy birthday"}`. The function sits behind a function URL. Let it take what clients really send.'
    ),
    stub="""\
import json


def handler(event, context):
    card = json.loads(event["body"])
    return {"statusCode": 201, "body": json.dumps({"card": card["text"]})}
""",
    solution="""\
import base64
import json


def handler(event, context):
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body)
    try:
        card = json.loads(body)
    except ValueError:
        return {
            "statusCode": 400,
            "body": json.dumps({"error": "The body has to be JSON."}),
        }
    if not isinstance(card, dict) or not card.get("text"):
        return {
            "statusCode": 400,
            "body": json.dumps({"error": "A card needs a text."}),
        }
    return {"statusCode": 201, "body": json.dumps({"card": card["text"]})}
""",
    other_solution="""\
import base64
import json


class Wrong(Exception):
    pass


def card_text(event):
    raw = event.get("body", "")
    try:
        card = json.loads(
            base64.b64decode(raw) if event["isBase64Encoded"] else raw
        )
        return card["text"]
    except (ValueError, KeyError, TypeError) as error:
        raise Wrong('Send {"text": "..."}.') from error


def handler(event, context):
    try:
        return {
            "statusCode": 201,
            "body": json.dumps({"card": card_text(event)}),
        }
    except Wrong as wrong:
        return {"statusCode": 400, "body": str(wrong)}
""",
    requirements=[
        Requirement("A card is taken, with 201", _cards_are_taken),
        Requirement("What is no card is answered with 400", _wrong_cards_are_a_400),
        Requirement("A body in base64 is read too", _base64_is_read),
    ],
    wrong_answers=[
        WrongAnswer(
            "believes_that_the_body_is_a_dict",
            code="""\
import json


def handler(event, context):
    return {"statusCode": 201, "body": json.dumps({"card": event["body"]["text"]})}
""",
            misconception="M46",
            message="Read the text from the body with `json.loads`",
        ),
        WrongAnswer(
            "catches_broken_json_only",
            code="""\
import json


def handler(event, context):
    try:
        card = json.loads(event.get("body") or "")
    except ValueError:
        return {"statusCode": 400, "body": "JSON, please."}
    return {"statusCode": 201, "body": json.dumps({"card": card["text"]})}
""",
            misconception="M45",
            message="JSON may be fine and still not be what you asked for.",
        ),
        WrongAnswer(
            "answers_500_itself",
            code="""\
import json


def handler(event, context):
    try:
        card = json.loads(event.get("body") or "")
        return {"statusCode": 201, "body": json.dumps({"card": card["text"]})}
    except Exception:
        return {"statusCode": 500, "body": "That did not work."}
""",
            misconception="M45",
            message="500 'That did not work.'",
        ),
        WrongAnswer(
            "forgets_base64",
            code="""\
import json


def handler(event, context):
    try:
        card = json.loads(event.get("body") or "")
        text = card["text"]
    except (ValueError, KeyError, TypeError):
        return {"statusCode": 400, "body": "No card."}
    return {"statusCode": 201, "body": json.dumps({"card": text})}
""",
            misconception="M46",
            message="has to go through `base64.b64decode` first",
        ),
    ],
    stub_message="400 for a body that is no JSON",
    hints=[
        "Read `read_order` in the mended `shop.py` again. How many ways are there for a body to be wrong?",
        "First get the body as it was sent, then make JSON of it, then look whether it is what you asked for. Each step can fail.",
        "`event.get('body') or ''` for a missing body, `base64.b64decode` when `isBase64Encoded` is true, `except ValueError` "
        "around `json.loads`, and an `if` for the rest.",
        '`try: card = json.loads(...)`, `except ValueError: return {"statusCode": ..., ...}`, and then `if not isinstance(card, '
        "dict) or ...`.",
    ],
    why_solution=(
        "Each step has its own answer, so the client reads what was wrong with its request. The other solution gathers the ways "
        "to be wrong in one place. Neither catches `Exception`: a fault of your own code must stay a 500."
    ),
)


# 03.3 ----------------------------------------------------------------------------------------------------------------

_ROUTES = {"/labels": ("GET", "POST"), "/labels/L-7": ("GET", "DELETE")}


def _what_there_is_works(submission: Submission) -> None:
    with _Doors(submission) as doors:
        for path, methods in _ROUTES.items():
            for method in methods:
                response = requests.request(method, doors.url.rstrip("/") + path, timeout=30)
                expect(
                    response.status_code == 200,
                    expected=f"200 for {method} {path}",
                    got=doors.answered(response),
                    why="These are the calls that Parcel's own programs make.",
                    next_step="`/labels` takes GET and POST, `/labels/` and an id takes GET and DELETE.",
                )


def _other_methods_are_a_405(submission: Submission) -> None:
    with _Doors(submission) as doors:
        for path, methods in _ROUTES.items():
            response = requests.put(doors.url.rstrip("/") + path, timeout=30)
            expect(
                response.status_code == 405,
                expected=f"405 for PUT {path}",
                got=doors.answered(response),
                why="The label is there. A 404 makes the client look for a typing mistake in the path."
                if response.status_code == 404
                else "The method is what the client can mend, and only a 405 says so.",
                next_step="When the path is known and the method is not, the status is 405.",
            )
            allowed = {name.strip() for name in response.headers.get("Allow", "").split(",")}
            expect(
                allowed == set(methods),
                expected=f"with the 405 for {path} the header `allow: {', '.join(methods)}`",
                got=f"allow: {response.headers['Allow']}" if "Allow" in response.headers else "no such header",
                why="Allow is how a client finds out what is possible. Tools and people read it.",
                next_step="Put the methods that this very path has into `headers`, joined by a comma.",
            )


def _unknown_paths_are_a_404(submission: Submission) -> None:
    with _Doors(submission) as doors:
        for path in ("/", "/parcels"):
            response = requests.get(doors.url.rstrip("/") + path, timeout=30)
            expect(
                response.status_code == 404,
                expected=f"404 for GET {path}",
                got=doors.answered(response),
                why="Nothing is at this path, whatever the method.",
                next_step="Leave 404 for what no `if` has recognised.",
            )


route_labels = Exercise(
    id="03.3",
    title="Say what is possible",
    objective="answer-well",
    file="labels_api.py",
    handler="labels_api.handler",
    runtime="python3.14",
    task=(
        "An API for labels, by hand, behind a function URL. `/labels` takes `GET` and `POST`, a path such as `/labels/L-7` takes `GET` "
        "and `DELETE`, each answered with 200 and any body. Let every other request get the status that tells its client what to "
        "do."
    ),
    stub="""\
def handler(event, context):
    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    if path == "/labels" and method == "GET":
        return {"statusCode": 200, "body": "all labels"}
    return {"statusCode": 404, "body": "not found"}
""",
    solution="""\
def allowed_at(path):
    if path == "/labels":
        return ["GET", "POST"]
    if path.startswith("/labels/"):
        return ["GET", "DELETE"]
    return []


def handler(event, context):
    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    allowed = allowed_at(path)
    if not allowed:
        return {"statusCode": 404, "body": f"There is nothing at {path}."}
    if method not in allowed:
        return {
            "statusCode": 405,
            "headers": {"allow": ", ".join(allowed)},
            "body": f"{method} is not possible here.",
        }
    return {"statusCode": 200, "body": f"{method} {path}"}
""",
    other_solution="""\
import re

ROUTES = [
    (
        re.compile(r"/labels"),
        {"GET": lambda: "all", "POST": lambda: "printed"},
    ),
    (
        re.compile(r"/labels/[^/]+"),
        {"GET": lambda: "one", "DELETE": lambda: "gone"},
    ),
]


def handler(event, context):
    method = event["requestContext"]["http"]["method"]
    for pattern, actions in ROUTES:
        if pattern.fullmatch(event["rawPath"]):
            if method in actions:
                return {"statusCode": 200, "body": actions[method]()}
            return {
                "statusCode": 405,
                "headers": {"Allow": ",".join(actions)},
            }
    return {"statusCode": 404}
""",
    requirements=[
        Requirement("Every method that a path has is answered with 200", _what_there_is_works),
        Requirement("Other methods get 405, and `allow` names those of this path", _other_methods_are_a_405),
        Requirement("Unknown paths get 404", _unknown_paths_are_a_404),
    ],
    wrong_answers=[
        WrongAnswer(
            "answers_404_to_wrong_methods",
            code="""\
def handler(event, context):
    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    if path == "/labels" and method in ("GET", "POST"):
        return {"statusCode": 200, "body": "labels"}
    if path.startswith("/labels/") and method in ("GET", "DELETE"):
        return {"statusCode": 200, "body": "label"}
    return {"statusCode": 404, "body": "not found"}
""",
            misconception="M48",
            message="A 404 makes the client look for a typing mistake",
        ),
        WrongAnswer(
            "leaves_out_allow",
            code="""\
def handler(event, context):
    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    if path == "/labels":
        return {"statusCode": 200 if method in ("GET", "POST") else 405}
    if path.startswith("/labels/"):
        return {"statusCode": 200 if method in ("GET", "DELETE") else 405}
    return {"statusCode": 404}
""",
            misconception=None,
            message="no such header",
        ),
        WrongAnswer(
            "gives_allow_as_a_list",
            code="""\
def handler(event, context):
    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    if path == "/labels":
        allowed = ["GET", "POST"]
    elif path.startswith("/labels/"):
        allowed = ["GET", "DELETE"]
    else:
        return {"statusCode": 404, "body": "not found"}
    if method in allowed:
        return {"statusCode": 200, "body": "done"}
    return {"statusCode": 405, "headers": {"allow": allowed}, "body": "not allowed"}
""",
            misconception=None,
            message="the body and each header are one text",
        ),
        WrongAnswer(
            "allows_the_same_everywhere",
            code="""\
def handler(event, context):
    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    if path == "/labels" and method in ("GET", "POST"):
        return {"statusCode": 200}
    if path.startswith("/labels/") and method in ("GET", "DELETE"):
        return {"statusCode": 200}
    if path.startswith("/labels"):
        return {"statusCode": 405, "headers": {"allow": "GET, POST, DELETE"}}
    return {"statusCode": 404}
""",
            misconception=None,
            message="allow: GET, POST, DELETE",
        ),
        WrongAnswer(
            "answers_405_to_everything_else",
            code="""\
def handler(event, context):
    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    methods = ("GET", "POST") if path == "/labels" else ("GET", "DELETE")
    if path.startswith("/labels") and method in methods:
        return {"statusCode": 200}
    return {"statusCode": 405, "headers": {"allow": ", ".join(methods)}}
""",
            misconception="M48",
            message="Nothing is at this path, whatever the method.",
        ),
    ],
    stub_message="200 for POST /labels",
    hints=[
        "Read the list of statuses under the mended shop again. When is it 404, and when 405?",
        "First look at the path: is there anything at all? Only then at the method.",
        "Make a list of the methods that the path has. An empty list is a 404, a method that is not in it a 405, and the list itself "
        "is what `allow` says.",
        '`return {"statusCode": 405, "headers": {"allow": ", ".join(...)}, "body": ...}`, after `if method not in ...`.',
    ],
    why_solution=(
        "The methods of a path are written down once, and decide three things: whether the path is there, whether the method is "
        "possible, and what `allow` says. The other solution keeps them in a table of routes, as libraries do."
    ),
)


# 03.4 ----------------------------------------------------------------------------------------------------------------


def _powertools() -> bytes:
    """The installed Powertools, and the module it needs, as a layer."""
    import aws_lambda_powertools
    import typing_extensions

    library, needed = Path(aws_lambda_powertools.__file__).parent, Path(typing_extensions.__file__)
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        for file in [*sorted(library.rglob("*.py")), needed]:
            entry = zipfile.ZipInfo(f"python/{file.relative_to(needed.parent)}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes())
    return package.getvalue()


def _with_powertools(submission: Submission) -> _Doors:
    layer = submission.aws("lambda").publish_layer_version(
        LayerName="check-powertools", Content={"ZipFile": _powertools()}
    )
    return _Doors(submission, Layers=[layer["LayerVersionArn"]], Timeout=20, MemorySize=1769)


def _returns_are_found(submission: Submission) -> None:
    with _with_powertools(submission) as doors:
        response = requests.get(f"{doors.url}returns/R-1", timeout=30)
        expect(
            response.status_code == 200 and _document(response) == {"reason": "too small"},
            expected='200 and {"reason": "too small"} for GET /returns/R-1',
            got=doors.answered(response),
            why="The customer wants to see what was noted.",
            next_step='Give the resolver a route with the id in it: `@app.get("/returns/<return_id>")`.',
        )
        response = requests.get(f"{doors.url}returns/R-9", timeout=30)
        expect(
            response.status_code == 404,
            expected="404 for GET /returns/R-9, which is not there",
            got=doors.answered(response),
            why="A return that is not there is no fault of Parcel's.",
            next_step="Raise `NotFoundError` when the id is not in `RETURNS`.",
        )


def _returns_are_taken(submission: Submission) -> None:
    with _with_powertools(submission) as doors:
        response = requests.post(f"{doors.url}returns", json={"reason": "broken"}, timeout=30)
        expect(
            response.status_code == 201 and _document(response) == {"reason": "broken"},
            expected='201 and {"reason": "broken"} for POST /returns',
            got=doors.answered(response),
            why="201 says that something new is there now. 200 does not.",
            next_step='A second route: `@app.post("/returns")`. It reads `app.current_event.json_body`, and returns the content and '
            "the status: `return {...}, 201`.",
        )
        for what, request in (
            ("a return without a reason", {"json": {}}),
            ("a body that is no JSON", {"data": "{oops"}),
        ):
            response = requests.post(f"{doors.url}returns", timeout=30, **request)
            expect(
                response.status_code == 400,
                expected=f"400 for {what}",
                got=doors.answered(response),
                why="Powertools takes the routing off you, not the decision what a client reads.",
                next_step="`BadRequestError` for what is missing, and `@app.exception_handler(json.JSONDecodeError)` for what is no "
                "JSON.",
            )


returns = Exercise(
    id="03.4",
    title="Returns, with Powertools",
    objective="read-the-request",
    file="returns_api.py",
    handler="returns_api.handler",
    runtime="python3.14",
    task=(
        "Customers send things back. Write the API with Powertools, behind a function URL, so with `LambdaFunctionUrlResolver`: `GET "
        '/returns/R-1` answers with the entry of `RETURNS`, and `POST /returns` with `{"reason": ...}` answers 201 and the same '
        "again. The layer with Powertools is there when the check deploys your file."
    ),
    stub="""\
import json

from aws_lambda_powertools.event_handler import (
    LambdaFunctionUrlResolver,
    Response,
)
from aws_lambda_powertools.event_handler.exceptions import (
    BadRequestError,
    NotFoundError,
)

RETURNS = {"R-1": {"reason": "too small"}}
app = LambdaFunctionUrlResolver()


def handler(event, context):
    return app.resolve(event, context)
""",
    solution="""\
import json

from aws_lambda_powertools.event_handler import (
    LambdaFunctionUrlResolver,
    Response,
)
from aws_lambda_powertools.event_handler.exceptions import (
    BadRequestError,
    NotFoundError,
)

RETURNS = {"R-1": {"reason": "too small"}}
app = LambdaFunctionUrlResolver()


@app.get("/returns/<return_id>")
def get_return(return_id: str):
    if return_id not in RETURNS:
        raise NotFoundError(f"There is no return {return_id}.")
    return RETURNS[return_id]


@app.post("/returns")
def take_return():
    sent = app.current_event.json_body
    if not sent.get("reason"):
        raise BadRequestError("A return needs a reason.")
    return {"reason": sent["reason"]}, 201


@app.exception_handler(json.JSONDecodeError)
def wrong_json(error):
    return Response(
        status_code=400,
        content_type="text/plain",
        body="The body has to be JSON.",
    )


def handler(event, context):
    return app.resolve(event, context)
""",
    other_solution="""\
import json

from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver
from aws_lambda_powertools.event_handler.exceptions import (
    BadRequestError,
    NotFoundError,
)

RETURNS = {"R-1": {"reason": "too small"}}
app = LambdaFunctionUrlResolver()
handler = app.resolve


def reason():
    try:
        return app.current_event.json_body["reason"]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise BadRequestError('Send {"reason": "..."}.') from None


@app.route("/returns/<number>", method="GET")
def show(number):
    try:
        return RETURNS[number]
    except KeyError:
        raise NotFoundError from None


@app.route("/returns", method="POST")
def take():
    return {"reason": reason()}, 201
""",
    requirements=[
        Requirement("A return can be looked up; one that is not there is a 404", _returns_are_found),
        Requirement("A return is taken with 201; what is none is a 400", _returns_are_taken),
    ],
    wrong_answers=[
        WrongAnswer(
            "lets_the_key_error_out",
            code="""\
from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver

RETURNS = {"R-1": {"reason": "too small"}}
app = LambdaFunctionUrlResolver()


@app.get("/returns/<return_id>")
def get_return(return_id: str):
    return RETURNS[return_id]


def handler(event, context):
    return app.resolve(event, context)
""",
            misconception="M45",
            message="Raise `NotFoundError` when the id is not in `RETURNS`.",
        ),
        WrongAnswer(
            "takes_the_resolver_of_rest_apis",
            code="""\
from aws_lambda_powertools.event_handler import APIGatewayRestResolver

RETURNS = {"R-1": {"reason": "too small"}}
app = APIGatewayRestResolver()


@app.get("/returns/<return_id>")
def get_return(return_id: str):
    return RETURNS[return_id]


def handler(event, context):
    return app.resolve(event, context)
""",
            misconception="M44",
            message='200 and {"reason": "too small"} for GET /returns/R-1',
        ),
        WrongAnswer(
            "trusts_the_body",
            code="""\
from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

RETURNS = {"R-1": {"reason": "too small"}}
app = LambdaFunctionUrlResolver()


@app.get("/returns/<return_id>")
def get_return(return_id: str):
    if return_id not in RETURNS:
        raise NotFoundError("no such return")
    return RETURNS[return_id]


@app.post("/returns")
def take_return():
    return {"reason": app.current_event.json_body["reason"]}, 201


def handler(event, context):
    return app.resolve(event, context)
""",
            misconception="M45",
            message="not the decision what a client reads",
        ),
    ],
    stub_message="404",
    hints=[
        "Read `tools_shop.py` again. It has a route that reads, one that takes, and a handler for exceptions.",
        "One function for each route. What it returns becomes the response, and what it raises too, when it is one of Powertools' "
        "own errors.",
        "A name in angle brackets in the path is handed to the function. `app.current_event.json_body` is the body as a dict, and "
        "raises `json.JSONDecodeError` when it is none.",
        '`@app.post("/returns")`, then `sent = app.current_event....`, `if not sent.get("reason"): raise ...`, and `return {...}, 201`.',
    ],
    why_solution=(
        "Each route says what it does, and the errors say the status. The other solution catches what a body can be wrong in, in "
        "one function, and so needs no handler for exceptions."
    ),
)

EXERCISES = [print_label, take_card, route_labels, returns]
