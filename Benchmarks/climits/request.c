// The way out: chunks read from a store's segments (docs/store-format.md), checked, spliced, inflated.
#include "CLimits.h"
#include "support.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

enum { preamble = 16, fixed_part = 72, field_checksum = 4, trailer = 8, read_size = 256 * 1024 };

static const uint8_t plain_header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};

bool climits_request_add(struct climits_request *request, const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    MAKE_ROOM(request->files, request->file_room, request->file_count + 1);
    request->files[request->file_count++] = file;
    return true;
}

void climits_request_rewind(struct climits_request *request) {
    request->current_file = 0;
    request->offset = 0;
    request->byte_count = request->chunk_count = request->end = 0;
    request->record_count = 0;
}

void climits_request_free(struct climits_request *request) {
    for (size_t i = 0; i < request->file_count; i++) close(request->files[i]);
    free(request->files);
    free(request->bytes);
    free(request->body);
    free(request->text);
    if (request->inflater) inflateEnd(request->inflater);
    free(request->inflater);
    *request = (struct climits_request){0};
}

/// Takes the chunk at `end`, passing over those without records: 1 when it was there and is intact, 0 when more bytes
/// are needed, -1 when it is no chunk.
static int take_chunk(struct climits_request *request) {
    for (;;) {
        const uint8_t *p = request->bytes + request->end;
        size_t count = request->byte_count - request->end;
        if (count < preamble + fixed_part) return 0;
        size_t field = (size_t)p[14] | (size_t)p[15] << 8;
        if (memcmp(p, "\x1f\x8b\x08\x04", 4) != 0 || memcmp(p + 12, "SL", 2) != 0) return -1;
        if (field < fixed_part + field_checksum) return -1;
        size_t body = preamble + field, size = half_at(p + preamble + 4);
        if (size < body + trailer) return -1;
        if (count < size) return 0;
        size_t checked = field - field_checksum;
        if (climits_crc32c(p + preamble, checked) != half_at(p + preamble + checked)) return -1;
        uint32_t records = half_at(p + preamble + 36);
        if (records == 0) {
            request->end += size;
            continue;
        }
        if (climits_crc32c(p + body, size - body) != half_at(p + preamble + 12)) return -1;
        request->chunks[request->chunk_count++] = (struct climits_chunk){
            .start = request->end,
            .size = size,
            .deflate_start = request->end + body,
            .deflate_size = size - body - trailer,
            .text_size = half_at(p + preamble + 8),
            .text_checksum = half_at(p + preamble + 16),
        };
        request->end += size;
        request->record_count += records;
        return 1;
    }
}

int climits_read(struct climits_request *request) {
    request->byte_count -= request->end;
    if (request->byte_count > 0) memmove(request->bytes, request->bytes + request->end, request->byte_count);
    request->end = request->chunk_count = 0;
    request->record_count = 0;
    while (request->chunk_count < climits_chunks_in_request) {
        int taken = take_chunk(request);
        if (taken < 0) return -1;
        if (taken > 0) continue;
        if (request->current_file == request->file_count) break;
        MAKE_ROOM(request->bytes, request->byte_room, request->byte_count + read_size);
        int file = request->files[request->current_file];
        ssize_t n = pread(file, request->bytes + request->byte_count, read_size, request->offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        request->byte_count += (size_t)n;
        request->offset += n;
        if (n > 0) continue;
        // Segments end with a whole chunk.
        if (request->end != request->byte_count) return -1;
        request->current_file++;
        request->offset = 0;
    }
    return (int)request->chunk_count;
}

const uint8_t *climits_member_bytes(const struct climits_request *request, size_t chunk, size_t *count) {
    *count = request->chunks[chunk].size;
    return request->bytes + request->chunks[chunk].start;
}

void climits_splice(struct climits_request *request) {
    size_t room = sizeof plain_header + 2 + trailer;
    for (size_t i = 0; i < request->chunk_count; i++) room += request->chunks[i].deflate_size;
    MAKE_ROOM(request->body, request->body_room, room);
    uint8_t *out = request->body;
    uint32_t checksum = 0, length = 0;
    memcpy(out, plain_header, sizeof plain_header);
    out += sizeof plain_header;
    for (size_t i = 0; i < request->chunk_count; i++) {
        const struct climits_chunk *chunk = request->chunks + i;
        memcpy(out, request->bytes + chunk->deflate_start, chunk->deflate_size - 2);
        out += chunk->deflate_size - 2;
        checksum = (uint32_t)crc32_combine(checksum, chunk->text_checksum, (z_off_t)chunk->text_size);
        length += chunk->text_size;
    }
    memcpy(out, "\x03\x00", 2);
    memcpy(out + 2, &checksum, 4);
    memcpy(out + 6, &length, 4);
    request->body_count = (size_t)(out + 2 + trailer - request->body);
}

bool climits_inflate(struct climits_request *request, size_t index) {
    const struct climits_chunk *chunk = request->chunks + index;
    if (!request->inflater) {
        request->inflater = calloc(1, sizeof(z_stream));
        if (!request->inflater || inflateInit2((z_stream *)request->inflater, -15) != Z_OK) abort();
    }
    z_stream *stream = request->inflater;
    // One byte more, so that the end mark is met in the same call.
    MAKE_ROOM(request->text, request->text_room, chunk->text_size + 1);
    inflateReset(stream);
    stream->next_in = request->bytes + chunk->deflate_start;
    stream->avail_in = (uInt)chunk->deflate_size;
    stream->next_out = request->text;
    stream->avail_out = chunk->text_size + 1;
    if (inflate(stream, Z_FINISH) != Z_STREAM_END || stream->total_out != chunk->text_size) return false;
    request->text_count = chunk->text_size;
    return true;
}
