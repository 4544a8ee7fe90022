"""Mapping templates: Velocity's language, and API Gateway's variables.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

from __future__ import annotations

import pytest

from coldstart.events.mapping_template import TemplateError, render
from coldstart.events.mapping_variables import Input, Util

BODY = '{"orders": [{"id": "P-1", "n": 2}, {"id": "P-2", "n": 3}], "note": "it\'s \\"new\\"", "total": 5}'
VARIABLES = {
    "input": Input(BODY, {"id": "17"}, {"q": "a b"}, {"Content-Type": "application/json"}),
    "util": Util(),
    "context": {"requestId": "r-1", "identity": {"sourceIp": "127.0.0.1"}},
    "stageVariables": {"shop": "parcel"},
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{"statusCode": 200}', '{"statusCode": 200}'),
        ("$input.body", BODY),
        ("$input.json('$.orders[0]')", '{"id":"P-1","n":2}'),
        ("$input.json('$.none')", '""'),
        ("$input.path('$.orders[1].id') $input.path('$.orders.size()')", "P-2 $input.path('$.orders.size()')"),
        ("$input.params('id') $input.params('q') $input.params('content-type') $input.params('none')",
         "17 a b application/json "),
        ("$input.params().querystring.q $input.params().path.get('id')", "a b 17"),
        ("$context.requestId ${context.identity.sourceIp}!", "r-1 127.0.0.1!"),
        ("${stageVariables.shop}-prod", "parcel-prod"),
        ("$nobody.knows $!nobody.knows $5 US$", "$nobody.knows  $5 US$"),
        ("$util.escapeJavaScript($input.path('$.note'))", "it\\'s \\\"new\\\""),
        ("$util.urlEncode('a b') $util.base64Encode('a') $util.base64Decode('YQ==')", "a+b YQ== a"),
        ("#set($r = $util.parseJson($input.body))$r.orders[1].id", "P-2"),
        ("#set($x = 2 * (3 + 4) - 1)$x #set($y = 'n: ' + $x)$y", "13 n: 13"),
        ("#if($input.path('$.total') > 4 && !$none)big#{else}small#end", "big"),
        ("#if($none)a#elseif('x' == \"x\")b#else c#end", "b"),
        ("#foreach($o in $input.path('$.orders'))$o.id#if($foreach.hasNext), #end#end", "P-1, P-2"),
        ("#foreach($i in [1..3])$velocityCount:$i #end", "1:1 2:2 3:3 "),
        ("#foreach($i in [])never#end!", "!"),
        ("#foreach($i in [1..5])#if($i == 3)#break#end$i#end!", "12!"),
        ("a ## comment\nb #* more *#c", "a b c"),
        ("\\$escaped #set($m = {'a': 1, 'b': [true, null]})$m.a $m.b[0] $m.size() $m", "$escaped 1 true 2 {a=1, b=[true, null]}"),
        ("#set($l = [])#set($none = $l.add(1))$l.size() #set($m = {})#set($m.k = 'v')$m.k", "1 v"),
        ("#set($t = 'Parcel')$t.toLowerCase() $t.length() $t.substring(1, 3) \"$t.replaceAll('a', 'o')\"", 'parcel 6 ar "Porcel"'),
        ('#set($greeting = "hello $context.requestId")$greeting', "hello r-1"),
        ("#if(true)\n  one line\n#end\nnext", "  one line\nnext"),
        ("color: #fff", "color: #fff"),
    ],
)  # fmt: skip
def test_a_template_is_rendered(template, text):
    assert render(template, VARIABLES) == text


@pytest.mark.parametrize(
    "template", ["#if(true)no end", "#set($a 1)", "#set($a = )", "${open", "#foreach($a on $b)#end"]
)
def test_a_broken_template_is_an_error(template):
    with pytest.raises(TemplateError):
        render(template, VARIABLES)
