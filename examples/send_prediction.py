"""Sends one prediction: python3 send_prediction.py http://127.0.0.1:8080 [KEY]"""
import datetime, json, sys, urllib.request

event = {"prediction_id": "r1", "model": "churn", "model_version": "3", "timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat(),
         "features": {"age": 31, "plan": "pro", "x": None}, "prediction": 1, "prediction_proba": 0.83}
headers = {"Content-Type": "application/json"}
if len(sys.argv) > 2:
    headers["Authorization"] = f"Bearer {sys.argv[2]}"
request = urllib.request.Request(f"{sys.argv[1]}/v1/ingest", json.dumps(event).encode(), headers)
print(urllib.request.urlopen(request, timeout=35).read().decode())
