// TransactWriteItems on top of dynalite, which has no transactions.
// Each condition and each update is dynalite's own work; "all or nothing" is ours: what was done is undone.
const PREFIX = 'com.amazonaws.dynamodb.v20120810#'
const OPERATIONS = { Put: 'PutItem', Update: 'UpdateItem', Delete: 'DeleteItem', ConditionCheck: 'UpdateItem' }
const NAMES = { ConditionalCheckFailedException: 'ConditionalCheckFailed', ValidationException: 'ValidationError' }

function invalid (message) {
  return { status: 400, body: { __type: 'com.amazon.coral.validate#ValidationException', message } }
}

function keyOf (kind, fields, keys) {
  const item = kind === 'Put' ? fields.Item : fields.Key
  return Object.fromEntries(keys.map((name) => [ name, item[name] ]))
}

const answered = new Map() // by client request token: the request and its answer

/** Run the items of `body` with `call(operation, fields)`; a request that is repeated with its token runs once. */
async function transact (call, body) {
  const token = body.ClientRequestToken
  const wanted = JSON.stringify(body.TransactItems)
  const known = token && answered.get(token)
  if (known && known.wanted === wanted) return known.answer
  if (known) return { status: 400, body: { __type: PREFIX + 'IdempotentParameterMismatchException' } }
  const answer = await run(call, body)
  if (token && answer.status === 200) answered.set(token, { wanted, answer })
  return answer
}

/** Nothing else may reach the tables meanwhile. */
async function run (call, body) {
  const items = body.TransactItems.map((item) => Object.entries(item)[0])
  if (items.length > 100) return invalid('Member must have length less than or equal to 100')
  const steps = []
  for (const [ kind, fields ] of items) {
    const { status, body: told } = await call('DescribeTable', { TableName: fields.TableName })
    if (status !== 200) return { status, body: told }
    const key = keyOf(kind, fields, told.Table.KeySchema.map((entry) => entry.AttributeName))
    steps.push({ kind, fields, key, id: JSON.stringify([ fields.TableName, key ]) })
  }
  if (new Set(steps.map((step) => step.id)).size < steps.length) {
    return invalid('Transaction request cannot include multiple operations on one item')
  }
  return apply(call, steps)
}

async function apply (call, steps) {
  const reasons = []
  const done = []
  for (const { kind, fields, key } of steps) {
    const row = { TableName: fields.TableName, Key: key }
    const before = (await call('GetItem', { ...row, ConsistentRead: true })).body.Item
    const { status, body } = await call(OPERATIONS[kind], fields) // a ConditionCheck updates nothing, or a new row
    const code = status === 200 ? 'None' : body.__type.split('#')[1]
    reasons.push(status === 200 ? { Code: code } : { Code: NAMES[code] || code, Message: body.message })
    if (status === 200) done.unshift({ kind, row, before })
  }
  const through = reasons.every((reason) => reason.Code === 'None')
  for (const { kind, row, before } of done) {
    if (through && kind !== 'ConditionCheck') continue
    if (before) await call('PutItem', { TableName: row.TableName, Item: before })
    else await call('DeleteItem', row)
  }
  if (through) return { status: 200, body: {} }
  const codes = reasons.map((reason) => reason.Code).join(', ')
  const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`
  return { status: 400, body: { __type: PREFIX + 'TransactionCanceledException', message, CancellationReasons: reasons } }
}

module.exports = { transact }
