//! Many rows at once, by COPY: values travel in their text form here too.

use std::io::Cursor;

use futures_util::SinkExt;

use super::failure::SqlFailure;
use super::session::{Session, Value};
use crate::sql::SqlText;

/// Bytes of one message.
const MESSAGE: usize = 1 << 16;

impl Session {
    /// Runs `COPY … FROM STDIN` with these rows; how many it took. All of them or none.
    pub async fn copy_in(
        &mut self,
        copy: &SqlText,
        rows: &[Vec<Value>],
    ) -> Result<u64, SqlFailure> {
        let failed = |error: tokio_postgres::Error| self.lost.explain(&error);
        let sink = self.client.copy_in(copy.as_str()).await.map_err(failed)?;
        let mut sink = std::pin::pin!(sink);
        let mut message = Vec::with_capacity(MESSAGE + 1024);
        for row in rows {
            line(&mut message, row);
            if message.len() >= MESSAGE {
                let full = std::mem::replace(&mut message, Vec::with_capacity(MESSAGE + 1024));
                sink.send(Cursor::new(full)).await.map_err(failed)?;
            }
        }
        sink.send(Cursor::new(message)).await.map_err(failed)?;
        sink.finish().await.map_err(failed)
    }
}

/// One row in the text format of COPY.
fn line(message: &mut Vec<u8>, row: &[Value]) {
    for (at, value) in row.iter().enumerate() {
        if at > 0 {
            message.push(b'\t');
        }
        let Some(text) = value else {
            message.extend(b"\\N");
            continue;
        };
        for byte in text.bytes() {
            match byte {
                b'\\' => message.extend(b"\\\\"),
                b'\t' => message.extend(b"\\t"),
                b'\n' => message.extend(b"\\n"),
                b'\r' => message.extend(b"\\r"),
                byte => message.push(byte),
            }
        }
    }
    message.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn what_would_end_a_value_is_escaped() {
        let mut message = Vec::new();
        line(
            &mut message,
            &[Some("a\tb\\.\n".to_owned()), None, Some(String::new())],
        );
        assert_eq!(message, b"a\\tb\\\\.\\n\t\\N\t\n");
    }
}
