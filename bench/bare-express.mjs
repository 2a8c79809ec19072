// The least an HTTP collector can do: parse the lines and answer their number. Prints its port.
import express from 'express';

const app = express();
app.post('/', express.text({ type: () => true, limit: '32mb' }), (request, response) => {
  let lines = 0;
  for (const line of request.body.split('\n'))
    if (line !== '') {
      JSON.parse(line);
      lines++;
    }
  response.json({ lines });
});
const server = app.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.on('SIGTERM', () => server.close(() => server.closeAllConnections()));
