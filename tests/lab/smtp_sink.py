"""An SMTP server that writes each mail it gets as a line of JSON: `smtp_sink.py ADDRESS`."""

import json
import sys
import time

from aiosmtpd.controller import Controller


class Sink:
    async def handle_DATA(self, _server, session, envelope):
        mail = {
            "helo": session.host_name,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "text": envelope.content.decode(),
        }
        print(json.dumps(mail), flush=True)
        return "250 OK"


if __name__ == "__main__":
    Controller(Sink(), hostname=sys.argv[1], port=25).start()
    print("ready", flush=True)
    time.sleep(600)
