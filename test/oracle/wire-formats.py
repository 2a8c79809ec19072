"""Writes the fixtures of binary formats, whose bodies the formats' own libraries encode: OTLP (opentelemetry-proto) and MessagePack.

usage: python test/oracle/wire-formats.py FOLDER        (test/fixtures/formats)
"""
import base64
import json
import pathlib
import struct
import sys

import msgpack
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

FOLDER = pathlib.Path(sys.argv[1])
NANOS = 1_767_225_600_123_000_000


def write(name, **fixture):
    (FOLDER / f"{name}.json").write_text(json.dumps(fixture, indent=2, ensure_ascii=False) + "\n")


def row(id, **over):
    return {"id": id, "row": 0, "model": "churn", "version": "3", "ts": "2026-01-01 00:00:00.123", "num": {"age": 31}, "cat": {"plan": "pro"}, "proba": 0.83, "prediction": 1, **over}


def any_value(value):
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key=k, value=any_value(v)) for k, v in value.items()]))
    return AnyValue(array_value=ArrayValue(values=[any_value(v) for v in value]))


def add(scope_logs, body=None, nanos=NANOS, **attributes):
    record = scope_logs.log_records.add(time_unix_nano=nanos, observed_time_unix_nano=nanos + 5, severity_number=9, trace_id=bytes(16))
    if body is not None:
        record.body.CopyFrom(any_value(body))
    for key, value in attributes.items():
        record.attributes.add(key=key.replace("__", "."), value=any_value(value))


request = ExportLogsServiceRequest()
resource_logs = request.resource_logs.add(schema_url="https://opentelemetry.io/schemas/1.27.0")
resource_logs.resource.attributes.add(key="ml.model.name", value=any_value("churn"))
resource_logs.resource.attributes.add(key="ml.model.version", value=any_value("3"))
scope_logs = resource_logs.scope_logs.add()
scope_logs.scope.name = "shop"
feature = {"ml__feature__age": 31.0, "ml__feature__plan": "pro"}
answer = {"ml__prediction__value": 1, "ml__prediction__probability": 0.83}
add(scope_logs, ml__prediction__id="op-1", **feature, **answer)
add(scope_logs, body={"prediction_id": "op-2", "features": {"age": 31, "plan": "pro"}, "prediction": 1, "prediction_proba": 0.83})
add(scope_logs, body=json.dumps({"prediction_id": "op-3", "features": {"age": 31, "plan": "pro"}, "prediction": 1, "prediction_proba": 0.83}))
add(scope_logs, ml__prediction__id="op-1", ml__label=0)
add(scope_logs, body="a line of another kind", list=["a", {"b": -(2**63)}])
response = ExportLogsServiceResponse()
response.partial_success.rejected_log_records = 1
response.partial_success.error_message = "prediction_id is missing: without it a repeated event could not be told from a new one"
write(
    "otlp-protobuf",
    source="OTLP/HTTP logs in binary protobuf, encoded by opentelemetry-proto: attributes, a structured body, a body of JSON, a label, another record",
    path="/v1/logs",
    headers={"content-type": "application/x-protobuf"},
    bodyBase64=base64.b64encode(request.SerializeToString()).decode(),
    answerBase64=base64.b64encode(response.SerializeToString()).decode(),
    rows=[row("op-1"), row("op-2"), row("op-3")],
    labels=[{"id": "op-1", "row": 0, "label": 0}],
)

event = lambda id, **over: {"prediction_id": id, "model": "churn", "model_version": "3", "features": {"age": 31, "plan": "pro", "x": None}, "prediction": 1, "prediction_proba": 0.83, **over}
event_time = msgpack.ExtType(0, struct.pack(">II", NANOS // 10**9, NANOS % 10**9))
chunk = b"".join(
    msgpack.packb(entry)
    for entry in [
        [event_time, event("mp-1")],
        [[event_time, {}], event("mp-2")],
        [1_767_225_600.123, event("mp-3", tags={"big": 2**63, "bytes": b"abc"})],
        event("mp-4", timestamp=msgpack.Timestamp(NANOS // 10**9, NANOS % 10**9)),
        event("mp-5", timestamp="2026-01-01T00:00:00.123Z"),
    ]
)
write(
    "msgpack",
    source="Fluent Bit out_http, format msgpack: entries [time, record] with EventTime (extension 0), newer ones [[time, metadata], record]; fluentd: records; encoded by msgpack for Python",
    path="/v1/ingest",
    headers={"content-type": "application/msgpack"},
    bodyBase64=base64.b64encode(chunk).decode(),
    answer={"received": 5, "accepted": 5, "duplicate": 0, "rejected": 0},
    rows=[row(f"mp-{index}") for index in range(1, 6)],
)
write(
    "msgpack-cut",
    source="the same, cut in the middle of its last record: what is before it is taken",
    path="/v1/ingest",
    headers={"content-type": "application/x-msgpack"},
    bodyBase64=base64.b64encode(msgpack.packb([event_time, event("mc-1")]) + msgpack.packb([event_time, event("mc-2")])[:-3]).decode(),
    answer={"received": 2, "accepted": 1, "duplicate": 0, "rejected": 1},
    reasons=["malformed_json"],
    rows=[row("mc-1")],
)
