// dynalite behind a port of its own choice: `node dynalite.js` prints {"port": …} when it is ready.
// What it lacks and our code needs is added here: TransactWriteItems (transactions.js) and UpdateTimeToLive.
const http = require('http')
const dynalite = require('dynalite')
const { transact } = require('./transactions')

const inner = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
let innerUrl = ''
let last = Promise.resolve() // requests run one after the other, so nothing comes between a transaction's steps

function call (headers, operation, body) {
  const { host, 'content-length': _length, ...kept } = headers
  const target = `DynamoDB_20120810.${operation}`
  return fetch(innerUrl, { method: 'POST', headers: { ...kept, 'x-amz-target': target }, body: JSON.stringify(body) })
    .then(async (answer) => ({ status: answer.status, body: await answer.json() }))
}

async function read (request) {
  const parts = []
  for await (const part of request) parts.push(part)
  return JSON.parse(Buffer.concat(parts).toString())
}

const added = {
  TransactWriteItems: (headers, body) => transact((operation, fields) => call(headers, operation, fields), body),
  // Nothing expires in dynalite. Our code never counts on DynamoDB to delete an expired row in time.
  UpdateTimeToLive: async (headers, body) => ({
    status: 200, body: { TimeToLiveSpecification: body.TimeToLiveSpecification },
  }),
}

async function serve (request, response) {
  const operation = (request.headers['x-amz-target'] || '').split('.')[1]
  const done = new Promise((resolve) => response.on('close', resolve))
  if (!added[operation]) {
    inner.emit('request', request, response)
    return done
  }
  const answer = await added[operation](request.headers, await read(request))
  response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' })
  response.end(JSON.stringify(answer.body))
  return done
}

inner.listen(0, '127.0.0.1', () => {
  innerUrl = `http://127.0.0.1:${inner.address().port}/`
  const outer = http.createServer((request, response) => {
    last = last.then(() => serve(request, response)).catch((error) => {
      response.writeHead(500)
      response.end(JSON.stringify({ __type: 'InternalServerError', message: String(error) }))
    })
  })
  outer.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: outer.address().port })))
})
