'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const SpringCloudConfig = require('spring-cloud-config')

// Where the server is and who asks come from the environment, as the client documents it.
process.env.SPRING_CONFIG_ENDPOINT = process.env.SERVER
process.env.SPRING_CONFIG_AUTH_USER = process.env.SERVER_USER
process.env.SPRING_CONFIG_AUTH_PASS = process.env.SERVER_PASSWORD

async function load (label, activeProfiles) {
  const configPath = fs.mkdtempSync(path.join(os.tmpdir(), 'spring-cloud-config-'))
  try {
    fs.writeFileSync(path.join(configPath, 'bootstrap.yml'),
      `spring.cloud.config: { enabled: true, fail-fast: true, label: ${label} }\n`)
    fs.writeFileSync(path.join(configPath, 'application.yml'),
      'spring.cloud.config.name: orders\ngreeting: local\nlocal: kept\n')
    return await SpringCloudConfig.load({ configPath, activeProfiles, level: 'error' })
  } finally {
    fs.rmSync(configPath, { recursive: true })
  }
}

async function main () {
  const config = await load('main', ['dev', 'cloud'])
  assert.equal(config.greeting, 'hello from dev')
  assert.equal(config.port, 8081)
  assert.equal(config['hosts[0]'], 'dev.example')
  assert.deepEqual(config.database, { user: 'orders', password: 'mysecret' })
  assert.equal(config.region, 'eu')
  assert.equal(config.shared, "everybody's")
  assert.equal(config.local, 'kept')

  const branch = await load('feature/x', ['default'])
  assert.equal(branch.greeting, 'hello from the branch')

  await assert.rejects(load('nowhere', ['dev']), /404/)
}

main()
