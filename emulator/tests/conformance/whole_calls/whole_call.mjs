// One whole call by the official JavaScript client, made from a connection string. Run by test_whole_calls.py.

import assert from "node:assert/strict";
import dns from "node:dns";
import { once, EventEmitter } from "node:events";
import { createServer } from "node:http";

import { CallAutomationClient } from "@azure/communication-call-automation";

const PORT = Number(process.env.APP_PORT);
const [CALLER, LINE] = ["+14255550100", "+18005551212"];
const VOICE = { voiceName: "en-US-JennyNeural" };
const arrived = new EventEmitter();
const events = [];

// What an entry in the hosts file does: the storage host of recordings is this machine.
const lookup = dns.lookup;
dns.lookup = (host, ...rest) => lookup(host === "emulator.asm.skype.com" ? "127.0.0.1" : host, ...rest);

const app = createServer(async (request, response) => {
  let text = "";
  for await (const chunk of request) text += chunk;
  for (const event of JSON.parse(text)) {
    if (event.eventType?.endsWith("SubscriptionValidationEvent")) {
      response.end(JSON.stringify({ validationResponse: event.data.validationCode }));
      return;
    }
    events.push(event);
    arrived.emit("event");
  }
  response.end();
}).listen(PORT, "127.0.0.1");

async function event(name) {
  for (;;) {
    while (events.length) {
      const found = events.shift();
      if ((found.type ?? found.eventType).endsWith(`.${name}`)) return found.data;
    }
    await once(arrived, "event", { signal: AbortSignal.timeout(20_000) });
  }
}

const client = new CallAutomationClient(process.env.CONNECTION_STRING);
await fetch(`${process.env.CONTROL}/emulator/calls`, {
  method: "POST",
  body: JSON.stringify({ from: CALLER, to: LINE, script: [{ when: "asked", press: "1" }, { say: "thank you" }] }),
});
const { incomingCallContext } = await event("IncomingCall");
const { callConnection, callConnectionProperties } = await client.answerCall(
  incomingCallContext,
  `http://127.0.0.1:${PORT}/calls`,
  { callIntelligenceOptions: { cognitiveServicesEndpoint: "https://speech.example.com" } },
);
const { serverCallId } = await event("CallConnected");
assert.equal(callConnectionProperties.callConnectionId.length, 36);
assert.equal((await callConnection.getCallConnectionProperties()).callConnectionState, "connected");
assert.equal((await callConnection.listParticipants()).values.length, 2);
const recordings = client.getCallRecording();
const { recordingId } = await recordings.start({
  callLocator: { id: serverCallId, kind: "serverCallLocator" },
  recordingContent: "audio",
  recordingChannel: "unmixed",
  recordingFormat: "wav",
});
const media = callConnection.getCallMedia();
await media.startRecognizing(
  { phoneNumber: CALLER },
  {
    kind: "callMediaRecognizeDtmfOptions",
    maxTonesToCollect: 1,
    initialSilenceTimeoutInSeconds: 10,
    playPrompt: { kind: "textSource", text: "Press one.", ...VOICE },
  },
);
assert.deepEqual((await event("RecognizeCompleted")).dtmfResult.tones, ["one"]);
await media.playToAll([{ kind: "textSource", text: "Thank you.", ...VOICE }]);
await event("PlayCompleted");
await recordings.stop(recordingId);
await callConnection.hangUp(true);
await event("CallDisconnected");
const [chunk] = (await event("RecordingFileStatusUpdated")).recordingStorageInfo.recordingChunks;
const parts = [];
for await (const part of await recordings.downloadStreaming(chunk.contentLocation)) parts.push(part);
const sound = Buffer.concat(parts);
assert.equal(sound.subarray(0, 4).toString(), "RIFF");
assert.ok(sound.length > 10_000);
await recordings.delete(chunk.deleteLocation);
app.closeAllConnections();
app.close();
console.log("carried");
