// Sends one prediction: node send-prediction.mjs http://127.0.0.1:8080 [KEY]
const [url, key] = process.argv.slice(2);
const event = {
  prediction_id: 'r1',
  model: 'churn',
  model_version: '3',
  timestamp: new Date().toISOString(),
  features: { age: 31, plan: 'pro', x: null },
  prediction: 1,
  prediction_proba: 0.83,
};
const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) };
const response = await fetch(`${url}/v1/ingest`, { method: 'POST', headers, body: JSON.stringify(event) });
process.stdout.write(`${response.status} ${await response.text()}\n`);
