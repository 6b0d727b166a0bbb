// SPDX-License-Identifier: Apache-2.0
// The real client adds an authenticator application and signs in with it.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { AuthClient } from '@supabase/auth-js'

const url = process.env.AUTH_URL
const client = () => new AuthClient({ url, autoRefreshToken: false, persistSession: false, detectSessionInUrl: false })
const password = 'correct horse 7 Battery'

async function ok(call) {
  const { data, error } = await call
  assert.equal(error, null)
  return data
}

/** RFC 6238: what an application shows so many steps from now. */
function shown(secret, steps = 0) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps))
  const mac = createHmac('sha1', key).update(counter).digest()
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0')
}

const level = async (auth) => {
  const { currentLevel, nextLevel, currentAuthenticationMethods } = await ok(auth.mfa.getAuthenticatorAssuranceLevel())
  return [currentLevel, nextLevel, currentAuthenticationMethods.map((m) => m.method ?? m).sort()]
}

test('adds an application, signs in with it, takes it away', async () => {
  const email = `factor.${Date.now()}.${Math.floor(Math.random() * 1e6)}@example.com`
  const auth = client()
  await ok(auth.signUp({ email, password }))
  assert.deepEqual(await level(auth), ['aal1', 'aal1', ['password']])

  const factor = await ok(auth.mfa.enroll({ factorType: 'totp', friendlyName: 'app', issuer: 'Shop' }))
  assert.ok(factor.totp.qr_code.startsWith('data:image/svg+xml;utf-8,<?xml'))
  assert.ok(!factor.totp.qr_code.includes('#'))
  assert.ok(factor.totp.uri.startsWith('otpauth://totp/Shop:'))

  const challenge = await ok(auth.mfa.challenge({ factorId: factor.id }))
  const wrong = await auth.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code: 'x' })
  assert.equal(wrong.error.code, 'mfa_verification_failed')
  await ok(auth.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code: shown(factor.totp.secret) }))
  assert.deepEqual(await level(auth), ['aal2', 'aal2', ['password', 'totp']])

  const later = client()
  await ok(later.signInWithPassword({ email, password }))
  assert.deepEqual(await level(later), ['aal1', 'aal2', ['password']])
  const refused = await later.updateUser({ password: 'another Horse 8 entirely' })
  assert.equal(refused.error.code, 'insufficient_aal')
  await ok(later.mfa.challengeAndVerify({ factorId: factor.id, code: shown(factor.totp.secret, 1) }))
  assert.deepEqual(await level(later), ['aal2', 'aal2', ['password', 'totp']])
  await ok(later.refreshSession())
  assert.deepEqual(await level(later), ['aal2', 'aal2', ['password', 'totp']])

  const listed = await ok(later.mfa.listFactors())
  assert.deepEqual([listed.totp.length, listed.phone.length, listed.all[0].friendly_name], [1, 0, 'app'])
  assert.equal((await ok(later.mfa.unenroll({ factorId: factor.id }))).id, factor.id)
  await ok(later.refreshSession())
  assert.deepEqual(await level(later), ['aal1', 'aal1', ['password']])
})
