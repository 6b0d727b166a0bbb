// SPDX-License-Identifier: Apache-2.0
// The real client against a running server: AUTH_URL is where it is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AuthClient } from '@supabase/auth-js'

const url = process.env.AUTH_URL
const client = () => new AuthClient({ url, autoRefreshToken: false, persistSession: false, detectSessionInUrl: false })
const address = (name) => `${name}.${Date.now()}.${Math.floor(Math.random() * 1e6)}@example.com`
const password = 'correct horse 7 Battery'

async function ok(call) {
  const { data, error } = await call
  assert.equal(error, null)
  return data
}

test('signs up, in, refreshes, updates and signs out', async () => {
  const email = address('whole')
  const auth = client()

  const signed = await ok(auth.signUp({ email, password, options: { data: { name: 'Ada' } } }))
  assert.equal(signed.user.email, email)
  assert.equal(signed.user.user_metadata.name, 'Ada')
  assert.ok(signed.session.access_token)

  const entered = await ok(auth.signInWithPassword({ email, password }))
  assert.equal(entered.user.id, signed.user.id)

  const fresh = await ok(auth.refreshSession())
  assert.notEqual(fresh.session.refresh_token, entered.session.refresh_token)
  assert.equal(fresh.user.id, signed.user.id)

  const { user } = await ok(auth.getUser())
  assert.equal(user.email, email)
  assert.equal(user.identities.length, 1)

  const updated = await ok(auth.updateUser({ data: { colour: 'green' } }))
  assert.deepEqual([updated.user.user_metadata.name, updated.user.user_metadata.colour], ['Ada', 'green'])

  const session = (await ok(auth.getSession())).session
  await ok(auth.signOut().then(({ error }) => ({ data: null, error })))
  const gone = await client().getUser(session.access_token)
  assert.equal(gone.error.name, 'AuthSessionMissingError')
})

test('changes a password', async () => {
  const email = address('password')
  const auth = client()
  await ok(auth.signUp({ email, password }))
  await ok(auth.updateUser({ password: 'another Horse 8 entirely' }))
  const old = await client().signInWithPassword({ email, password })
  assert.equal(old.error.code, 'invalid_credentials')
  await ok(client().signInWithPassword({ email, password: 'another Horse 8 entirely' }))
})

test('errors carry their code', async () => {
  const email = address('errors')
  const short = await client().signUp({ email, password: 'x' })
  assert.equal(short.error.code, 'weak_password')
  assert.equal(short.error.name, 'AuthWeakPasswordError')
  assert.ok(short.error.reasons.includes('length'))

  await ok(client().signUp({ email, password }))
  const twice = await client().signUp({ email, password })
  assert.equal(twice.error.code, 'user_already_exists')

  const nobody = await client().signInWithPassword({ email: address('nobody'), password })
  assert.equal(nobody.error.code, 'invalid_credentials')
  assert.equal(nobody.error.status, 400)
})

test('a refresh token of another device survives a local sign-out', async () => {
  const email = address('devices')
  const phone = client()
  const desk = client()
  await ok(phone.signUp({ email, password }))
  await ok(desk.signInWithPassword({ email, password }))
  const { error } = await phone.signOut({ scope: 'local' })
  assert.equal(error, null)
  await ok(desk.refreshSession())
})

test('signs in without an account and reads the claims', async () => {
  const auth = client()
  const { user } = await ok(auth.signInAnonymously({ options: { data: { theme: 'dark' } } }))
  assert.equal(user.is_anonymous, true)
  const { claims } = await ok(auth.getClaims())
  assert.equal(claims.sub, user.id)
})
