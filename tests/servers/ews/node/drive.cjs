// A second client of the EWS server: bind, create, view, sync, update, delete, with ews-javascript-api.
// It reads {url, login, password} from standard input and prints what it saw as one line of JSON.
"use strict";

const ews = require("ews-javascript-api");

const START = "2026-10-12T07:00:00Z";

function opened({ url, login, password }) {
  const service = new ews.ExchangeService(ews.ExchangeVersion.Exchange2016);
  service.Credentials = new ews.WebCredentials(login, password);
  service.Url = new ews.Uri(url);
  return service;
}

function plus(hours) {
  return ews.DateTime.Parse(START).AddHours(hours);
}

async function create(service, subject, recurring) {
  const event = new ews.Appointment(service);
  event.Subject = subject;
  event.Body = new ews.MessageBody(ews.BodyType.Text, "made elsewhere");
  event.Start = plus(0);
  event.End = plus(1);
  event.Location = "Room 1";
  if (recurring) {
    event.Recurrence = new ews.Recurrence.WeeklyPattern(plus(0), 1, [ews.DayOfTheWeek.Monday]);
    event.Recurrence.NumberOfOccurrences = 3;
  }
  await event.Save(ews.WellKnownFolderName.Calendar, ews.SendInvitationsMode.SendToNone);
  return event;
}

async function viewed(service) {
  const found = await service.FindAppointments(
    ews.WellKnownFolderName.Calendar,
    new ews.CalendarView(plus(-24), plus(24 * 40)),
  );
  return found.Items;
}

async function changes(service, state) {
  const told = await service.SyncFolderItems(
    new ews.FolderId(ews.WellKnownFolderName.Calendar),
    ews.PropertySet.FirstClassProperties,
    null,
    512,
    ews.SyncFolderItemsScope.NormalItems,
    state,
  );
  const kinds = [];
  for (let n = 0; n < told.Count; n += 1) {
    const change = told._getItem(n);
    kinds.push([ews.ChangeType[change.ChangeType], change.ItemId.UniqueId]);
  }
  return { state: told.SyncState, changes: kinds };
}

async function drive(given) {
  const service = opened(given);
  const seen = {};

  const folder = await ews.Folder.Bind(service, ews.WellKnownFolderName.Calendar);
  seen.folder = folder.DisplayName;

  const single = await create(service, "From elsewhere", false);
  seen.created = single.Id.UniqueId;
  const bound = await ews.Appointment.Bind(service, single.Id);
  seen.bound = [bound.Subject, bound.Location, bound.Start.ToISOString(), bound.ICalUid];

  const first = await changes(service, null);
  seen.first = first.changes;

  bound.Subject = "Changed elsewhere";
  await bound.Update(
    ews.ConflictResolutionMode.NeverOverwrite,
    ews.SendInvitationsOrCancellationsMode.SendToNone,
  );
  const second = await changes(service, first.state);
  seen.second = second.changes;

  const stale = await ews.Appointment.Bind(service, single.Id);
  const again = await ews.Appointment.Bind(service, single.Id);
  again.Location = "Room 2";
  await again.Update(
    ews.ConflictResolutionMode.AlwaysOverwrite,
    ews.SendInvitationsOrCancellationsMode.SendToNone,
  );
  stale.Location = "Room 3";
  try {
    await stale.Update(
      ews.ConflictResolutionMode.NeverOverwrite,
      ews.SendInvitationsOrCancellationsMode.SendToNone,
    );
    seen.conflict = "none";
  } catch (error) {
    seen.conflict = ews.ServiceError[error.ErrorCode];
  }

  await create(service, "Series", true);
  let items = await viewed(service);
  seen.view = items.map((item) => [item.Subject, item.Start.ToISOString()]);
  const occurrence = items.filter((item) => item.Subject === "Series")[1];
  const exception = await ews.Appointment.Bind(service, occurrence.Id);
  exception.Location = "Elsewhere";
  await exception.Update(
    ews.ConflictResolutionMode.NeverOverwrite,
    ews.SendInvitationsOrCancellationsMode.SendToNone,
  );
  const rebound = await ews.Appointment.Bind(service, exception.Id);
  seen.exception = [ews.AppointmentType[rebound.AppointmentType], rebound.Location];

  const last = await changes(service, second.state);
  const victim = await ews.Appointment.Bind(service, single.Id);
  await victim.Delete(ews.DeleteMode.HardDelete, ews.SendCancellationsMode.SendToNone);
  seen.third = (await changes(service, last.state)).changes;
  items = await viewed(service);
  seen.left = items.map((item) => item.Subject);
  return seen;
}

let text = "";
process.stdin.on("data", (chunk) => (text += chunk));
process.stdin.on("end", () => {
  drive(JSON.parse(text)).then(
    (seen) => console.log(JSON.stringify(seen)),
    (error) => {
      console.error(error && (error.stack || error.Message || error.message || JSON.stringify(error)));
      process.exitCode = 1;
    },
  );
});
