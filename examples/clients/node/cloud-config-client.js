'use strict'

const assert = require('node:assert/strict')
const client = require('cloud-config-client')

const { SERVER, SERVER_USER: user, SERVER_PASSWORD: pass } = process.env
const load = (options) =>
  client.load({ endpoint: SERVER, name: 'orders', profiles: ['dev', 'cloud'], auth: { user, pass }, ...options })

async function main () {
  const config = await load({ label: 'main' })
  assert.equal(config.get('greeting'), 'hello from dev')
  assert.equal(config.get('database', 'password'), 'mysecret')
  assert.equal(config.get('shared'), "everybody's")
  assert.equal(config.raw.version, process.env.COMMIT)
  assert.deepEqual(config.toObject(), {
    greeting: 'hello from dev',
    port: 8081,
    ratio: 0.5,
    enabled: true,
    hosts: ['dev.example'],
    database: { user: 'orders', password: 'mysecret' },
    fallback: '${CLIENTS_UNSET:none}',
    region: 'eu',
    shared: "everybody's"
  })

  const substituted = await load({ context: { CLIENTS_UNSET: 'set' } })
  assert.equal(substituted.get('fallback'), 'set')

  const branch = await load({ label: 'feature/x', profiles: undefined })
  assert.equal(branch.get('greeting'), 'hello from the branch')

  const inUrl = await client.load({ endpoint: SERVER.replace('//', `//${user}:${pass}@`), name: 'orders' })
  assert.equal(inUrl.get('greeting'), 'hello')

  await assert.rejects(load({ auth: undefined }), /Invalid response: 401/)
  await assert.rejects(load({ label: 'nowhere' }), /Invalid response: 404/)
}

main()
