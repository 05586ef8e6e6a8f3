// Every operation with the official JavaScript client, unmodified, against `python -m acs_emulator`.
//
// Run by test_javascript_sdk.py, which gives: EMULATOR_COMMAND (JSON list, without --event-grid), ACCESS_KEY,
// NOT_EMULATED (JSON list of operation ids that answer 501) and CAPTURE (a file for the emulator's two logs).

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createPublicKey, randomUUID, verify } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { after, afterEach, before, describe, test } from "node:test";

import { CallAutomationClient, parseCallAutomationEvent } from "@azure/communication-call-automation";
import { CommunicationIdentityClient } from "@azure/communication-identity";

const KEY = process.env.ACCESS_KEY;
const NOT_EMULATED = new Set(JSON.parse(process.env.NOT_EMULATED));
const PATIENCE = 15000;
const ISSUER = "https://acscallautomation.communication.azure.com";
const OWN = { phoneNumber: "+18005551212" };
const SPEECH = { callIntelligenceOptions: { cognitiveServicesEndpoint: "https://speech.example.com" } };
const HELLO = { kind: "textSource", text: "Hello", voiceName: "en-US-JennyNeural" };
const NO_CALL = "02004780-0000-4000-8000-000000000000";
const INSECURE = { allowInsecureConnection: true };
const CHOICES = [
  { label: "sales", phrases: ["sales"], tone: "one" },
  { label: "help", phrases: ["help"], tone: "two" },
];

let emulator, endpoint, resourceId, sink, base, client;
const callbacks = [];
const grid = [];
const refused = [];
const answers = [];
const keys = new Map();
const arrived = new EventEmitter();
arrived.setMaxListeners(100);
let numbers = 4255560100;

// -- the application that listens ------------------------------------------------------------------

function silence(seconds = 0.4) {
  const data = Buffer.alloc(Math.floor(seconds * 16000) * 2);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(16000, 24);
  head.writeUInt32LE(32000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

function checkToken(header = "") {
  const [head, claims, signature] = header.replace("Bearer ", "").split(".");
  const { kid, alg } = JSON.parse(Buffer.from(head, "base64url"));
  const token = JSON.parse(Buffer.from(claims, "base64url"));
  const good = verify("RSA-SHA256", Buffer.from(`${head}.${claims}`), keys.get(kid), Buffer.from(signature, "base64url"));
  assert.ok(good && alg === "RS256" && token.iss === ISSUER && token.aud === resourceId);
  assert.ok(token.exp * 1000 > Date.now() && token.exp - token.iat === 300);
}

async function receive(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const path = request.url;
  if (request.method === "GET") {
    const known = path === "/prompt.wav";
    response.writeHead(known ? 200 : 404, { "Content-Type": "audio/wav" }).end(known ? silence() : undefined);
    return;
  }
  const [event] = JSON.parse(Buffer.concat(chunks));
  if (path === "/eventgrid") {
    const validation = event.data.validationCode;
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(validation ? JSON.stringify({ validationResponse: validation }) : "");
    if (!validation) grid.push(event);
  } else {
    try {
      checkToken(request.headers.authorization);
    } catch (error) {
      refused.push(String(error));
    }
    response.writeHead(200).end();
    callbacks.push({ ...event, path });
  }
  arrived.emit("event");
}

async function until(find, what) {
  // Not AbortSignal.timeout: it may be collected before it fires, and the wait would have no end.
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  try {
    for (;;) {
      const found = find();
      if (found) return found;
      await once(arrived, "event", { signal: patience.signal });
    }
  } catch (error) {
    throw new Error(`waited in vain for ${what}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

before(async () => {
  sink = createServer((request, response) => void receive(request, response));
  await new Promise((ready) => sink.listen(0, "127.0.0.1", ready));
  base = `http://127.0.0.1:${sink.address().port}`;
  const [program, ...options] = JSON.parse(process.env.EMULATOR_COMMAND);
  emulator = spawn(program, [...options, "--event-grid", `${base}/eventgrid`], { stdio: ["ignore", "pipe", "inherit"] });
  // Read on: a pipe that is closed before the end of the line would end the emulator.
  let printed = "";
  emulator.stdout.setEncoding("utf8").on("data", (chunk) => {
    printed += chunk;
    arrived.emit("event");
  });
  [, endpoint] = await until(() => /listening on (http:\S+)\n/.exec(printed), "the emulator's first line");
  resourceId = (await control("GET", "/emulator/health")).resourceId;
  const openid = await control("GET", "/calling/.well-known/acsopenidconfiguration");
  assert.equal(openid.issuer, ISSUER);
  for (const key of (await (await fetch(openid.jwks_uri)).json()).keys) {
    keys.set(key.kid, createPublicKey({ key, format: "jwk" }));
  }
  client = newClient();
});

afterEach(() => assert.deepEqual(refused, []));

after(async () => {
  try {
    const { crashes } = await control("GET", "/emulator/health");
    const { requests } = await control("GET", "/emulator/requests");
    const { deliveries } = await control("GET", "/emulator/deliveries");
    await writeFile(process.env.CAPTURE, JSON.stringify({ requests, deliveries, crashes }));
  } finally {
    if (emulator.kill("SIGTERM")) await once(emulator, "exit");
    sink.closeAllConnections();
    sink.close();
  }
});

// -- what the tests are written with ---------------------------------------------------------------

const policy = {
  policy: {
    name: "capture",
    async sendRequest(request, next) {
      const answer = await next(request);
      answers.push({ method: request.method, path: new URL(request.url).pathname, status: answer.status, headers: answer.headers });
      return answer;
    },
  },
  position: "perRetry",
};

function newClient(options = {}) {
  const all = { ...INSECURE, additionalPolicies: [policy], ...options };
  return new CallAutomationClient(`endpoint=${endpoint}/;accesskey=${KEY}`, all);
}

async function control(method, path, body) {
  const answer = await fetch(endpoint + path, { method, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}

const url = (path = "calls") => `${base}/api/${path}`;
const newNumber = () => `+1${numbers++}`;
const wav = (name = "prompt.wav") => ({ kind: "fileSource", url: `${base}/${name}` });
const status = (end) => answers.findLast((answer) => answer.path.endsWith(end))?.status;
const of = (leg) => callbacks.filter((event) => event.data.callConnectionId === leg);
const names = (leg) =>
  of(leg).map((event) => event.type.split(".").at(-1)).filter((name) => name !== "ParticipantsUpdated");

async function event(leg, name, count = 1) {
  const find = () => of(leg).filter((one) => one.type.endsWith(`.${name}`))[count - 1];
  const found = await until(find, `${name} number ${count} on ${leg}; came ${names(leg)}`);
  // The client's own parser reads the types of the published description.
  if (!name.startsWith("HoldAudio")) {
    const parsed = parseCallAutomationEvent(JSON.parse(JSON.stringify(found)));
    assert.equal(parsed.kind, name);
    assert.equal(parsed.callConnectionId, leg);
  }
  return found;
}

async function result(leg, name) {
  const { code, subCode } = (await event(leg, name)).data.resultInformation;
  return [code, subCode];
}

async function incoming(to) {
  const find = () => grid.find((one) => one.eventType.endsWith(".IncomingCall") && one.data.to.rawId === to);
  const found = await until(find, `IncomingCall to ${to}`);
  grid.splice(grid.indexOf(found), 1);
  return found.data;
}

async function newUser() {
  const identities = new CommunicationIdentityClient(`endpoint=${endpoint}/;accesskey=${KEY}`, INSECURE);
  return identities.createUser();
}

async function phone(behaviour = {}) {
  const number = newNumber();
  await control("POST", "/emulator/phones", { number, ...behaviour });
  return { phoneNumber: number };
}

async function caller(script = [], options = SPEECH) {
  const [number, owned] = [newNumber(), newNumber()];
  await control("POST", "/emulator/calls", { from: number, to: owned, script });
  const { incomingCallContext } = await incoming(`4:${owned}`);
  const answered = await client.answerCall(incomingCallContext, url(), { operationContext: "answer", ...options });
  const { callConnectionId } = answered.callConnectionProperties;
  await event(callConnectionId, "CallConnected");
  await event(callConnectionId, "ParticipantsUpdated");
  const connection = answered.callConnection;
  const properties = answered.callConnectionProperties;
  return { id: callConnectionId, connection, media: connection.getCallMedia(), properties, who: { phoneNumber: number } };
}

async function twoLegs() {
  const [from, to] = [await newUser(), await newUser()];
  const created = await newClient({ sourceIdentity: from }).createCall({ targetParticipant: to }, url("a"), {
    operationContext: "create",
    ...SPEECH,
  });
  const { incomingCallContext } = await incoming(to.communicationUserId);
  const answered = await client.answerCall(incomingCallContext, url("b"), SPEECH);
  const legs = [created, answered].map((one) => ({
    id: one.callConnectionProperties.callConnectionId,
    connection: one.callConnection,
    media: one.callConnection.getCallMedia(),
    properties: one.callConnectionProperties,
  }));
  for (const leg of legs) {
    await event(leg.id, "CallConnected");
    await event(leg.id, "ParticipantsUpdated");
  }
  return [...legs, from, to];
}

async function third(leg) {
  const target = await phone();
  await leg.connection.addParticipant({ targetParticipant: target, sourceCallIdNumber: OWN });
  await event(leg.id, "AddParticipantSucceeded");
  return target;
}

const refusal = (statusCode, code, target) => (error) => {
  assert.equal(error.statusCode, statusCode, String(error));
  if (code) assert.equal(error.code ?? error.details?.error?.code, code);
  if (target) assert.match(JSON.stringify(error.details) + error.message, new RegExp(target));
  return true;
};

// A test of operations that the emulator may not have yet.
function needs(operations, name, body) {
  const missing = operations.filter((operation) => NOT_EMULATED.has(operation));
  test(name, { skip: missing.length > 0 && `the emulator answers 501 to ${missing}` }, body);
}

// -- the tests -------------------------------------------------------------------------------------

describe("identities", () => {
  for (const [name, make] of [
    ["a connection string", () => new CommunicationIdentityClient(`endpoint=${endpoint}/;accesskey=${KEY}`, INSECURE)],
    ["an endpoint and a key", () => new CommunicationIdentityClient(endpoint, { key: KEY }, INSECURE)],
  ]) {
    test(`a user is created, gets a token and is deleted, by ${name}`, async () => {
      const identities = make();
      const user = await identities.createUser();
      assert.match(user.communicationUserId, new RegExp(`^8:acs:${resourceId}_`));
      const token = await identities.getToken(user, ["voip"], { tokenExpiresInMinutes: 60 });
      assert.ok(token.token && token.expiresOn > new Date());
      await identities.revokeTokens(user);
      await identities.deleteUser(user);
      await assert.rejects(identities.getToken(user, ["voip"]), refusal(404));
    });
  }
});

describe("calls", () => {
  for (const [name, make] of [
    ["a connection string", () => newClient()],
    ["an endpoint and a key", () => new CallAutomationClient(endpoint, { key: KEY }, { ...INSECURE, additionalPolicies: [policy] })],
    ["an endpoint with a slash", () => new CallAutomationClient(`${endpoint}/`, { key: KEY }, { ...INSECURE, additionalPolicies: [policy] })],
  ]) {
    test(`a number is called by ${name}`, async () => {
      const created = await make().createCall(
        { targetParticipant: { phoneNumber: "+15550100001" }, sourceCallIdNumber: OWN, sourceDisplayName: "Reception" },
        url(),
        { operationContext: "out" },
      );
      assert.equal(status("/callConnections"), 201);
      const properties = created.callConnectionProperties;
      assert.equal(properties.callConnectionState, "connecting");
      assert.equal(properties.serverCallId, undefined);
      assert.equal(properties.targetParticipants[0].phoneNumber, "+15550100001");
      assert.equal(properties.sourceCallerIdNumber.phoneNumber, OWN.phoneNumber);
      assert.equal(properties.sourceDisplayName, "Reception");
      const id = properties.callConnectionId;
      assert.equal((await event(id, "CallConnected")).data.operationContext, "out");
      const live = await created.callConnection.getCallConnectionProperties();
      assert.equal(live.callConnectionState, "connected");
      assert.ok(live.serverCallId);
      await created.callConnection.hangUp(true);
      assert.equal(status(":terminate"), 204);
      await event(id, "CallDisconnected");
    });
  }

  test("answers carry the headers of the service", async () => {
    const leg = await caller();
    const { headers } = answers.findLast((answer) => answer.path.endsWith(":answer"));
    assert.equal(headers.get("x-microsoft-skype-chain-id"), leg.properties.correlationId);
    assert.equal(headers.get("content-type"), "application/json; charset=utf-8");
    assert.match(headers.get("x-microsoft-skype-client"), /azsdk-js-communication-call-automation\/1\.6\.0/);
    assert.match(headers.get("api-supported-versions"), /2026-03-12/);
  });

  for (const [number, subCode] of [["+15550100002", 8538], ["+15550100003", 8539], ["+15550100005", 8544]]) {
    test(`a call that ${number} does not take fails with ${subCode}`, async () => {
      const created = await client.createCall({ targetParticipant: { phoneNumber: number }, sourceCallIdNumber: OWN }, url());
      const id = created.callConnectionProperties.callConnectionId;
      await event(id, "CallDisconnected");
      assert.deepEqual(names(id), ["CreateCallFailed", "CallDisconnected"]);
      assert.equal((await result(id, "CreateCallFailed"))[1], subCode);
    });
  }

  test("a group is called and connects with the first who answers", async () => {
    const targets = [await phone({ behaviour: "decline" }), await phone()];
    const created = await client.createGroupCall(targets, url(), { sourceCallIdNumber: OWN });
    assert.equal(created.callConnectionProperties.targetParticipants.length, 2);
    await event(created.callConnectionProperties.callConnectionId, "CallConnected");
  });

  test("a phone call is answered", async () => {
    const leg = await caller();
    assert.equal(status(":answer"), 200);
    assert.equal(leg.properties.source.phoneNumber, leg.who.phoneNumber);
    assert.ok(leg.properties.serverCallId);
    const updated = (await event(leg.id, "ParticipantsUpdated")).data;
    assert.equal(updated.sequenceNumber, 1);
    assert.equal(updated.participants.length, 2);
  });

  test("both legs of a call belong to the application, and end together", async () => {
    const [a, b, from, to] = await twoLegs();
    assert.notEqual(a.id, b.id);
    assert.equal(a.properties.correlationId, b.properties.correlationId);
    assert.equal((await event(a.id, "CallConnected")).data.serverCallId, b.properties.serverCallId);
    const listed = await b.connection.listParticipants();
    assert.deepEqual(
      new Set(listed.values.map((one) => one.identifier.communicationUserId)),
      new Set([from.communicationUserId, to.communicationUserId]),
    );
    await a.connection.hangUp(true);
    assert.deepEqual(await result(a.id, "CallDisconnected"), [200, 7000]);
    assert.equal((await result(b.id, "CallDisconnected"))[0], 200);
    await assert.rejects(a.connection.getCallConnectionProperties(), refusal(404, "8522"));
  });

  test("one of two hangs up, and the call ends", async () => {
    const [a, b] = await twoLegs();
    await a.connection.hangUp(false);
    assert.equal(status(a.id), 204);
    await event(a.id, "CallDisconnected");
    await event(b.id, "CallDisconnected");
  });

  for (const callRejectReason of [undefined, "none", "busy", "forbidden"]) {
    test(`a call is rejected, reason ${callRejectReason}`, async () => {
      const user = await newUser();
      const created = await client.createCall({ targetParticipant: user }, url());
      const { incomingCallContext } = await incoming(user.communicationUserId);
      await client.rejectCall(incomingCallContext, callRejectReason && { callRejectReason });
      assert.equal(status(":reject"), 204);
      const id = created.callConnectionProperties.callConnectionId;
      assert.deepEqual(await result(id, "CreateCallFailed"), [200, 5002]);
      assert.deepEqual(await result(id, "CallDisconnected"), [200, 5002]);
      await assert.rejects(client.rejectCall(incomingCallContext), refusal(404, "8522"));
    });
  }

  test("a call is redirected to another user", async () => {
    const [first, second] = [await newUser(), await newUser()];
    const created = await client.createCall({ targetParticipant: first }, url());
    await client.redirectCall((await incoming(first.communicationUserId)).incomingCallContext, { targetParticipant: second });
    assert.equal(status(":redirect"), 204);
    const { incomingCallContext } = await incoming(second.communicationUserId);
    await client.answerCall(incomingCallContext, url("b"));
    await event(created.callConnectionProperties.callConnectionId, "CallConnected");
  });

  test("a repeated create is carried out once", async () => {
    const target = { targetParticipant: await phone(), sourceCallIdNumber: OWN };
    const headers = { "Repeatability-Request-ID": randomUUID(), "Repeatability-First-Sent": new Date().toUTCString() };
    const repeat = {
      policy: {
        name: "repeat",
        async sendRequest(request, next) {
          for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
          return next(request);
        },
      },
      position: "perCall",
    };
    const repeating = newClient({ additionalPolicies: [repeat] });
    const made = [await repeating.createCall(target, url()), await repeating.createCall(target, url())];
    const ids = made.map((one) => one.callConnectionProperties.callConnectionId);
    assert.equal(ids[0], ids[1]);
  });

  needs(["Connect"], "a call is connected to by its server call id", async () => {
    const leg = await caller();
    const locator = { id: leg.properties.serverCallId, kind: "serverCallLocator" };
    const connected = await client.connectCall(locator, url("observer"), { operationContext: "connect" });
    assert.equal(status(":connect"), 200);
    const id = connected.callConnectionProperties.callConnectionId;
    assert.notEqual(id, leg.id);
    assert.equal((await event(id, "CallConnected")).data.operationContext, "connect");
  });
});

describe("play", () => {
  const sources = {
    "a file": () => [wav()],
    "text with a voice": () => [HELLO],
    "text with a locale": () => [{ kind: "textSource", text: "Hello", sourceLocale: "en-GB", voiceKind: "male" }],
    SSML: () => [{ kind: "ssmlSource", ssmlText: '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">Hello</speak>' }],
    several: () => [wav(), HELLO],
  };
  for (const [name, make] of Object.entries(sources)) {
    test(`${name} to all`, async () => {
      const leg = await caller();
      await leg.media.playToAll(make(), { operationContext: "p", operationCallbackUrl: url("play") });
      assert.equal(status(":play"), 202);
      assert.deepEqual(await result(leg.id, "PlayCompleted"), [200, 0]);
      assert.deepEqual(names(leg.id), ["CallConnected", "PlayStarted", "PlayCompleted"]);
      const completed = await event(leg.id, "PlayCompleted");
      assert.equal(completed.path, "/api/play");
      assert.equal(completed.data.operationContext, "p");
    });
  }

  test("to one, with the other on hold meanwhile", async () => {
    const [a, b, , to] = await twoLegs();
    await a.media.play([wav()], [to], { operationContext: "one" });
    const held = (await event(b.id, "ParticipantsUpdated", 2)).data.participants;
    assert.deepEqual(held.map((one) => one.isOnHold).sort(), [false, true]);
    assert.equal((await event(a.id, "PlayCompleted")).data.operationContext, "one");
  });

  test("a file that is missing", async () => {
    const leg = await caller();
    await leg.media.playToAll([wav(), wav("missing.wav")]);
    assert.equal((await event(leg.id, "PlayFailed")).data.failedPlaySourceIndex, 1);
    assert.deepEqual(await result(leg.id, "PlayFailed"), [400, 8536]);
  });

  test("a loop until everything is cancelled", async () => {
    const leg = await caller();
    await leg.media.playToAll([wav()], { loop: true, operationContext: "loop" });
    await event(leg.id, "PlayStarted");
    await leg.media.cancelAllOperations();
    assert.equal(status(":cancelAllMediaOperations"), 202);
    assert.deepEqual(await result(leg.id, "PlayCanceled"), [400, 8508]);
  });

  test("an interrupting one", async () => {
    const leg = await caller();
    await leg.media.playToAll([wav()], { loop: true, operationContext: "loop" });
    await event(leg.id, "PlayStarted");
    await leg.media.playToAll([wav()], { interruptCallMediaOperation: true, operationContext: "urgent" });
    assert.equal((await event(leg.id, "PlayCanceled")).data.operationContext, "loop");
    assert.equal((await event(leg.id, "PlayCompleted")).data.operationContext, "urgent");
  });
});

describe("recognize", () => {
  const cases = [
    ["keys to the full count", { press: "12" }, { kind: "callMediaRecognizeDtmfOptions", maxTonesToCollect: 2 }, [200, 8531], { dtmfResult: { tones: ["one", "two"] } }],
    ["keys to the stop tone", { press: "1#" }, { kind: "callMediaRecognizeDtmfOptions", stopDtmfTones: ["pound"] }, [200, 8514], { dtmfResult: { tones: ["one"] } }],
    ["keys to a pause", { press: "1" }, { kind: "callMediaRecognizeDtmfOptions", interToneTimeoutInSeconds: 1, maxTonesToCollect: 3 }, [400, 8532], { dtmfResult: { tones: ["one"] } }],
    ["a choice by key", { press: "2" }, { kind: "callMediaRecognizeChoiceOptions", choices: CHOICES }, [200, 8533], { choiceResult: { label: "help", recognizedPhrase: null } }],
    ["a choice by speech", { say: "sales please" }, { kind: "callMediaRecognizeChoiceOptions", choices: CHOICES }, [200, 8545], null],
    ["speech", { say: "it is late" }, { kind: "callMediaRecognizeSpeechOptions", endSilenceTimeoutInSeconds: 1 }, [200, 8569], null],
    ["speech or keys, by key", { press: "4" }, { kind: "callMediaRecognizeSpeechOrDtmfOptions", maxTonesToCollect: 1 }, [200, 8531], { dtmfResult: { tones: ["four"] } }],
    ["speech or keys, by speech", { say: "four" }, { kind: "callMediaRecognizeSpeechOrDtmfOptions", endSilenceTimeoutInSeconds: 1, maxTonesToCollect: 1 }, [200, 8569], null],
  ];
  for (const [name, action, options, expected, data] of cases) {
    test(name, async () => {
      const leg = await caller([{ when: "asked", ...action }]);
      await leg.media.startRecognizing(leg.who, {
        playPrompts: [wav(), HELLO],
        operationContext: "r",
        operationCallbackUrl: url("recognize"),
        ...options,
      });
      assert.equal(status(":recognize"), 202);
      assert.deepEqual(await result(leg.id, "RecognizeCompleted"), expected);
      const completed = await event(leg.id, "RecognizeCompleted");
      assert.equal(completed.path, "/api/recognize");
      assert.equal(completed.data.operationContext, "r");
      for (const [field, value] of Object.entries(data ?? {})) assert.deepEqual(completed.data[field], value);
    });
  }

  test("silence", async () => {
    const leg = await caller();
    await leg.media.startRecognizing(leg.who, { kind: "callMediaRecognizeDtmfOptions", maxTonesToCollect: 1, initialSilenceTimeoutInSeconds: 1 });
    assert.deepEqual(await result(leg.id, "RecognizeFailed"), [400, 8510]);
  });

  test("cancelled", async () => {
    const leg = await caller();
    await leg.media.startRecognizing(leg.who, { kind: "callMediaRecognizeDtmfOptions", maxTonesToCollect: 1, initialSilenceTimeoutInSeconds: 300 });
    await leg.media.cancelAllOperations();
    assert.deepEqual(await result(leg.id, "RecognizeCanceled"), [400, 8508]);
  });
});

describe("tones", () => {
  test("continuous recognition reports each key until it stops", async () => {
    const leg = await caller();
    await leg.media.startContinuousDtmfRecognition(leg.who, { operationContext: "keys" });
    assert.equal(status(":startContinuousDtmfRecognition"), 200);
    await control("POST", `/emulator/calls/${leg.id}/press`, { keys: "1#" });
    const received = [1, 2].map((n) => event(leg.id, "ContinuousDtmfRecognitionToneReceived", n));
    const data = (await Promise.all(received)).map((one) => one.data);
    assert.deepEqual(data.map((one) => [one.sequenceId, one.tone]), [[1, "one"], [2, "pound"]]);
    await leg.media.stopContinuousDtmfRecognition(leg.who, { operationContext: "stop", operationCallbackUrl: url("stop") });
    assert.equal(status(":stopContinuousDtmfRecognition"), 200);
    assert.equal((await event(leg.id, "ContinuousDtmfRecognitionStopped")).path, "/api/stop");
  });

  test("tones are sent", async () => {
    const leg = await caller();
    const sent = await leg.media.sendDtmfTones(["one", "pound"], leg.who, { operationContext: "send" });
    assert.equal(status(":sendDtmfTones"), 202);
    assert.equal(sent.operationContext, "send");
    assert.equal((await event(leg.id, "SendDtmfTonesCompleted")).data.operationContext, "send");
  });
});

describe("participants", () => {
  test("are listed and read one by one", async () => {
    const leg = await caller();
    const listed = await leg.connection.listParticipants();
    assert.equal(listed.values.length, 2);
    const one = await leg.connection.getParticipant(leg.who);
    assert.equal(one.identifier.phoneNumber, leg.who.phoneNumber);
    assert.deepEqual([one.isMuted, one.isOnHold], [false, false]);
    await assert.rejects(leg.connection.getParticipant({ phoneNumber: newNumber() }), refusal(404, "8522"));
  });

  test("a number is added and removed", async () => {
    const leg = await caller();
    const target = await phone();
    const added = await leg.connection.addParticipant(
      { targetParticipant: target, sourceCallIdNumber: OWN },
      { operationContext: "add", operationCallbackUrl: url("add") },
    );
    assert.equal(status("participants:add"), 202);
    assert.ok(added.invitationId);
    assert.equal(added.operationContext, "add");
    assert.equal(added.participant.identifier.phoneNumber, target.phoneNumber);
    assert.equal((await event(leg.id, "AddParticipantSucceeded")).path, "/api/add");
    const removed = await leg.connection.removeParticipant(target, { operationContext: "remove" });
    assert.equal(status("participants:remove"), 202);
    assert.equal(removed.operationContext, "remove");
    assert.equal((await event(leg.id, "RemoveParticipantSucceeded")).data.participant.phoneNumber.value, target.phoneNumber);
  });

  test("a user is added with headers of its own", async () => {
    const leg = await caller();
    const user = await newUser();
    await leg.connection.addParticipant({ targetParticipant: user, customCallingContext: [{ kind: "voip", key: "case", value: "42" }] });
    const ringing = await incoming(user.communicationUserId);
    assert.deepEqual(ringing.customContext.voipHeaders, { case: "42" });
    await client.answerCall(ringing.incomingCallContext, url("b"));
    await event(leg.id, "AddParticipantSucceeded");
  });

  test("an invitation is declined", async () => {
    const leg = await caller();
    const declining = await phone({ behaviour: "decline" });
    await leg.connection.addParticipant({ targetParticipant: declining, sourceCallIdNumber: OWN });
    assert.deepEqual((await result(leg.id, "AddParticipantFailed"))[1], 8538);
  });

  test("an invitation is cancelled", async () => {
    const leg = await caller();
    const silent = await phone({ behaviour: "noAnswer" });
    const { invitationId } = await leg.connection.addParticipant({ targetParticipant: silent, sourceCallIdNumber: OWN });
    const cancelled = await leg.connection.cancelAddParticipantOperation(invitationId, { operationContext: "cancel" });
    assert.equal(status("participants:cancelAddParticipant"), 202);
    assert.deepEqual([cancelled.invitationId, cancelled.operationContext], [invitationId, "cancel"]);
    assert.equal((await event(leg.id, "CancelAddParticipantSucceeded")).data.invitationId, invitationId);
    await leg.connection.cancelAddParticipantOperation("no-such-invitation");
    await event(leg.id, "CancelAddParticipantFailed");
  });

  test("a user is muted", async () => {
    const [a, b, , to] = await twoLegs();
    const muted = await a.connection.muteParticipant(to, { operationContext: "mute" });
    assert.equal(status("participants:mute"), 200);
    assert.equal(muted.operationContext, "mute");
    assert.ok((await event(b.id, "ParticipantsUpdated", 2)).data.participants.some((one) => one.isMuted));
    assert.ok((await b.connection.getParticipant(to)).isMuted);
  });

  test("a participant is held and taken back", async () => {
    const leg = await caller();
    await leg.media.hold(leg.who, { playSource: wav(), operationContext: "hold", operationCallbackUrl: url("hold") });
    assert.equal(status(":hold"), 200);
    assert.ok((await leg.connection.getParticipant(leg.who)).isOnHold);
    assert.equal((await event(leg.id, "HoldAudioStarted")).path, "/api/hold");
    await leg.media.unhold(leg.who, { operationContext: "unhold" });
    assert.equal(status(":unhold"), 200);
    assert.ok(!(await leg.connection.getParticipant(leg.who)).isOnHold);
    assert.deepEqual(await result(leg.id, "HoldAudioCompleted"), [400, 8508]);
  });

  test("a call of two is transferred", async () => {
    const leg = await caller();
    const target = await phone();
    const transferred = await leg.connection.transferCallToParticipant(target, {
      operationContext: "transfer",
      operationCallbackUrl: url("transfer"),
      customCallingContext: [{ kind: "sipx", key: "case", value: "42" }],
    });
    assert.equal(status(":transferToParticipant"), 202);
    assert.equal(transferred.operationContext, "transfer");
    const accepted = await event(leg.id, "CallTransferAccepted");
    assert.equal(accepted.path, "/api/transfer");
    assert.equal(accepted.data.transferee.phoneNumber.value, leg.who.phoneNumber);
    await event(leg.id, "CallDisconnected");
  });

  test("one of a group is transferred", async () => {
    const leg = await caller();
    const transferee = await third(leg);
    await leg.connection.transferCallToParticipant(await phone(), { transferee });
    await event(leg.id, "CallTransferAccepted");
    assert.ok(!names(leg.id).includes("CallDisconnected"));
  });

  test("a declined transfer leaves the call as it was", async () => {
    const leg = await caller();
    await leg.connection.transferCallToParticipant(await phone({ behaviour: "decline" }));
    await event(leg.id, "CallTransferFailed");
    assert.equal((await leg.connection.getCallConnectionProperties()).callConnectionState, "connected");
  });

  needs(["CallConnection_MoveParticipants"], "a participant is moved from another call", async () => {
    const [source, target] = [await caller(), await caller()];
    const moved = await target.connection.moveParticipants([source.who], source.id, { operationContext: "move" });
    assert.equal(status("participants:moveHere"), 202);
    assert.deepEqual([moved.operationContext, moved.fromCall], ["move", source.id]);
    const succeeded = await event(target.id, "MoveParticipantSucceeded");
    assert.deepEqual([succeeded.data.operationContext, succeeded.data.fromCall], ["move", source.id]);
  });
});

describe("streams and recordings", () => {
  const socket = { transportUrl: "ws://127.0.0.1:9/socket", transportType: "websocket" };
  const mediaStreamingOptions = { ...socket, contentType: "audio", audioChannelType: "mixed", startMediaStreaming: false };
  const transcriptionOptions = { ...socket, locale: "en-US", startTranscription: false };

  test("the options of both streams are taken when a call is answered", async () => {
    const leg = await caller([], { ...SPEECH, mediaStreamingOptions, transcriptionOptions });
    assert.equal((await leg.connection.getCallConnectionProperties()).callConnectionState, "connected");
  });

  // Nobody listens on the socket: the requests are taken, and the failure comes as an event.
  needs(["CallMedia_StartMediaStreaming"], "media streaming is started", async () => {
    const leg = await caller([], { ...SPEECH, mediaStreamingOptions });
    await leg.media.startMediaStreaming({ operationContext: "start" });
    assert.equal(status(":startMediaStreaming"), 202);
    assert.equal((await event(leg.id, "MediaStreamingFailed")).data.operationContext, "start");
  });

  needs(["CallMedia_StartTranscription"], "transcription is started", async () => {
    const leg = await caller([], { ...SPEECH, transcriptionOptions });
    await leg.media.startTranscription({ locale: "en-CA", operationContext: "start" });
    assert.equal(status(":startTranscription"), 202);
    assert.equal((await event(leg.id, "TranscriptionFailed")).data.operationContext, "start");
  });

  const recordings = ["StartRecording", "GetRecordingProperties", "PauseRecording", "ResumeRecording", "StopRecording"];
  needs(recordings.map((name) => `CallRecording_${name}`), "a recording starts, pauses, resumes and stops", async () => {
    const leg = await caller();
    const recording = client.getCallRecording();
    const { recordingId } = await recording.start({
      callLocator: { id: leg.properties.serverCallId, kind: "serverCallLocator" },
      recordingStateCallbackEndpointUrl: url("recording"),
      recordingContent: "audio",
      recordingChannel: "mixed",
      recordingFormat: "wav",
    });
    await until(() => callbacks.find((one) => one.data.recordingId === recordingId && one.data.state === "active"), "active");
    assert.equal((await recording.getState(recordingId)).recordingState, "active");
    await recording.pause(recordingId);
    assert.equal((await recording.getState(recordingId)).recordingState, "inactive");
    await recording.resume(recordingId);
    assert.equal((await recording.getState(recordingId)).recordingState, "active");
    await recording.stop(recordingId);
    await assert.rejects(recording.getState(recordingId), refusal(404, "8522"));
  });
});

describe("refusals", () => {
  const who = { phoneNumber: "+15550100001" };
  const recognize = { kind: "callMediaRecognizeDtmfOptions", maxTonesToCollect: 1 };
  const invite = { targetParticipant: who, sourceCallIdNumber: OWN };
  const onACall = {
    CallConnection_GetCall: (c) => c.getCallConnectionProperties(),
    CallConnection_HangupCall: (c) => c.hangUp(false),
    CallConnection_TerminateCall: (c) => c.hangUp(true),
    CallConnection_TransferToParticipant: (c) => c.transferCallToParticipant(who),
    CallConnection_GetParticipants: (c) => c.listParticipants(),
    CallConnection_GetParticipant: (c) => c.getParticipant(who),
    CallConnection_AddParticipant: (c) => c.addParticipant(invite),
    CallConnection_RemoveParticipant: (c) => c.removeParticipant(who),
    CallConnection_Mute: (c) => c.muteParticipant(who),
    CallConnection_CancelAddParticipant: (c) => c.cancelAddParticipantOperation("no-such-invitation"),
    CallConnection_MoveParticipants: (c) => c.moveParticipants([who], "another-call"),
    CallMedia_Play: (c) => c.getCallMedia().playToAll([wav()]),
    CallMedia_Recognize: (c) => c.getCallMedia().startRecognizing(who, recognize),
    CallMedia_CancelAllMediaOperations: (c) => c.getCallMedia().cancelAllOperations(),
    CallMedia_StartContinuousDtmfRecognition: (c) => c.getCallMedia().startContinuousDtmfRecognition(who),
    CallMedia_StopContinuousDtmfRecognition: (c) => c.getCallMedia().stopContinuousDtmfRecognition(who),
    CallMedia_SendDtmfTones: (c) => c.getCallMedia().sendDtmfTones(["one"], who),
    CallMedia_Hold: (c) => c.getCallMedia().hold(who),
    CallMedia_Unhold: (c) => c.getCallMedia().unhold(who),
    CallMedia_StartMediaStreaming: (c) => c.getCallMedia().startMediaStreaming(),
    CallMedia_StopMediaStreaming: (c) => c.getCallMedia().stopMediaStreaming(),
    CallMedia_StartTranscription: (c) => c.getCallMedia().startTranscription({ locale: "en-US" }),
    CallMedia_StopTranscription: (c) => c.getCallMedia().stopTranscription(),
    CallMedia_UpdateTranscription: (c) => c.getCallMedia().updateTranscription("en-GB"),
  };
  for (const [operation, request] of Object.entries(onACall)) {
    needs([operation], `${operation} does not find an unknown call`, async () => {
      await assert.rejects(request(client.getCallConnection(NO_CALL)), refusal(404, "8522"));
    });
    test(`${operation} refuses a wrong key`, async () => {
      const stranger = new CallAutomationClient(endpoint, { key: "d3Jvbmcta2V5" }, INSECURE);
      await assert.rejects(request(stranger.getCallConnection(NO_CALL)), refusal(401));
    });
  }

  test("an ended call is not found", async () => {
    const leg = await caller();
    await leg.connection.hangUp(true);
    for (const [operation, request] of Object.entries(onACall)) {
      if (!NOT_EMULATED.has(operation)) await assert.rejects(request(leg.connection), refusal(404, "8522"), operation);
    }
  });

  test("bad requests name the field", async () => {
    await assert.rejects(client.createCall({ targetParticipant: who }, url()), refusal(400, "8523", "sourceCallerIdNumber"));
    await assert.rejects(client.createCall(invite, "nowhere"), refusal(400, "8523", "callbackUri"));
    const leg = await caller();
    await assert.rejects(leg.connection.addParticipant(invite, { invitationTimeoutInSeconds: 181 }), refusal(400, "8523", "invitationTimeoutInSeconds"));
    await assert.rejects(leg.media.sendDtmfTones(Array(19).fill("one"), leg.who), refusal(400, "8523", "tones"));
    await assert.rejects(leg.connection.muteParticipant(leg.who), refusal(400, "8523", "targetParticipants"));
    await assert.rejects(leg.media.playToAll([{ ...HELLO, voiceName: undefined }]), refusal(400, "8523", "voiceName"));
  });

  test("speech needs cognitive services", async () => {
    const leg = await caller([], {});
    await assert.rejects(leg.media.playToAll([HELLO]), refusal(405, "8522"));
    await assert.rejects(leg.media.startRecognizing(leg.who, { kind: "callMediaRecognizeSpeechOptions" }), refusal(405, "8522"));
  });

  test("media to one refuses a second of its kind", async () => {
    const leg = await caller();
    await leg.media.play([wav()], [leg.who], { loop: true });
    await event(leg.id, "PlayStarted");
    await assert.rejects(leg.media.play([wav()], [leg.who]), refusal(412, "8583"));
  });
});
