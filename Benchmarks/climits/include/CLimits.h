// The comparable minimum of each stage in plain C, for stagebench to measure beside the Swift code of the agent. A
// function does for its bytes what the stage has to do, and nothing that the agent does besides: no ledger, no
// positions of files, no look for names that are reserved or given twice. What it makes of the benchmark's lines is
// byte for byte what the agent makes of them.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Brings the processor's vector registers into the state in which a program starts. What ISA-L leaves in them makes
/// SSE instructions slower until they are cleared: neither side is to find what the other has left.
void climits_clear_registers(void);

// ---- The way in: a piece of a log becomes a compressed chunk -----------------------------------

/// One line: offsets into the piece's bytes.
struct climits_row {
    int64_t time;  // nanoseconds since 1970
    uint32_t time_start;
    uint32_t message_start;
    uint32_t message_length;
    uint32_t tape_start;  // its members on the tape; none when it is no JSON object
    uint32_t tape_count;
    uint32_t body_start;  // the bytes between the braces
    uint32_t body_length;
    uint8_t stream;    // 1 stdout, 2 stderr
    uint8_t severity;  // as the raw values of Severity
};

/// A top-level member of a JSON object.
struct climits_member {
    uint32_t key_start;
    uint32_t key_length;
    uint32_t value_start;
    uint32_t value_length;
};

/// What a piece of input becomes, stage by stage. The buffers grow and are used again.
struct climits_piece {
    /// Whole lines; 64 more bytes may be loaded.
    uint8_t *bytes;
    size_t byte_count, byte_room;
    struct climits_row *rows;
    size_t row_count, row_room;
    struct climits_member *tape;
    size_t member_count, member_room;
    /// The records as lines of JSON.
    uint8_t *text;
    size_t text_count, text_room;
    /// Deflate data that ends with `03 00`.
    uint8_t *packed;
    size_t packed_count, packed_room;
    uint32_t text_checksum;    // CRC-32
    uint32_t packed_checksum;  // CRC-32C
};

/// A compressor that is used for one chunk after the other.
struct climits_deflater;

struct climits_deflater *climits_deflater_new(void);
void climits_deflater_free(struct climits_deflater *deflater);
void climits_piece_free(struct climits_piece *piece);

/// Copies `count` bytes, as a read from the page cache would, and leaves out the unfinished line at their end.
/// Returns how many were taken.
size_t climits_copy(struct climits_piece *piece, const uint8_t *input, size_t count);
/// The same from a file, by one pread of at most `count` bytes at `offset`; 0 at its end, -1 when it cannot be read.
int64_t climits_read_piece(struct climits_piece *piece, int file, int64_t offset, size_t count);
/// Walks the lines with memchr, checks what stands before the message, reads the time. Only times of 30 bytes, in UTC
/// and with nine digits behind the point, are known: other lines give no row.
void climits_split(struct climits_piece *piece);
/// Validates each message that begins like a JSON object (RFC 8259, UTF-8, at most 128 open brackets; the size of
/// numbers is not looked at), notes where its members are, reads the severity.
void climits_parse(struct climits_piece *piece);
/// Writes each record: time, stream, severity, the members or the escaped text, and `ending`.
void climits_encode(struct climits_piece *piece, const uint8_t *ending, size_t ending_count);
/// Compresses the text with the encoder and the level that the agent uses.
void climits_deflate(struct climits_piece *piece, struct climits_deflater *deflater);
/// CRC-32 of the text, CRC-32C of the deflate data.
void climits_checksum(struct climits_piece *piece);

/// CRC-32 as in gzip, continued from that of the bytes before.
uint32_t climits_crc32(uint32_t previous, const uint8_t *bytes, size_t count);
/// CRC-32C (Castagnoli).
uint32_t climits_crc32c(const uint8_t *bytes, size_t count);

// ---- The way out: chunks of a store become a request -------------------------------------------

enum { climits_chunks_in_request = 8 };

/// A chunk in the bytes of a request.
struct climits_chunk {
    size_t start;  // of the gzip member
    size_t size;
    size_t deflate_start;
    size_t deflate_size;  // the final block included
    uint32_t text_size;
    uint32_t text_checksum;
};

/// Reads a store's segments and makes requests of their chunks. The buffers grow and are used again.
struct climits_request {
    int *files;
    size_t file_count, file_room;
    size_t current_file;
    int64_t offset;
    /// What was read: the chunks, then the beginning of the next one.
    uint8_t *bytes;
    size_t byte_count, byte_room;
    struct climits_chunk chunks[climits_chunks_in_request];
    size_t chunk_count;
    uint64_t record_count;
    /// Where the bytes behind the last chunk begin.
    size_t end;
    /// The spliced gzip member.
    uint8_t *body;
    size_t body_count, body_room;
    /// The text of the chunk that was inflated last.
    uint8_t *text;
    size_t text_count, text_room;
    void *inflater;
};

/// Adds a segment behind those that are there; false when it cannot be opened.
bool climits_request_add(struct climits_request *request, const char *path);
/// Goes back to the first segment.
void climits_request_rewind(struct climits_request *request);
void climits_request_free(struct climits_request *request);

/// Reads the next chunks with records and checks both of their CRC-32C. Returns how many there are: fewer than
/// `climits_chunks_in_request` at the end of the store, -1 when a checksum is wrong or a read fails.
int climits_read(struct climits_request *request);
/// The gzip member of a chunk; `chunk` is below `chunk_count`.
const uint8_t *climits_member_bytes(const struct climits_request *request, size_t chunk, size_t *count);
/// Joins the chunks to one gzip member without inflating them.
void climits_splice(struct climits_request *request);
/// Inflates one chunk into `text`; false when it is damaged.
bool climits_inflate(struct climits_request *request, size_t chunk);
