// telegram-test-api on a port of its own choice: prints {"port": …} when it is ready.
const TelegramServer = require('telegram-test-api')

const server = new TelegramServer({ host: '127.0.0.1', storeTimeout: 3600 })
server.config.port = 0
server.start().then(() => console.log(JSON.stringify({ port: server.server.address().port })))
