/**
 * Compares the file systems of two disk images.
 *
 * `$1`: the work folder; `$2`: one disk; `$3`: the other; `$4`: how many files to copy out at most. `$1/places` has a file
 * system of both a line, outer places before those within: its offset, bytes; its size, bytes; its place.
 *
 * Leaves in the work folder: `1/` and `2/`, the differing files of each. Prints what differs, sorted: `-` or `+`, then
 * path, kind, mode, owner, time, where a link points, SHA-256, by tabs. Where nothing does, `cmp` and the offset of the
 * first byte of the disks that differs.
 */
export const COMPARE_SCRIPT = String.raw`
W=$1
export LC_ALL=C
tab=$(printf '\t')
list() {
  mkdir "$W/root$1" "$W/$1"
  while read -r start bytes place; do
    mount -t ext4 -o "ro,noload,loop,offset=$start,sizelimit=$bytes" "$2" "$W/root$1$place"
  done < "$W/places"
  cd "$W/root$1"
  find . -mindepth 1 -printf '%P\t%y\t%m\t%U:%G\t%T@\t%l\n' | sort -t "$tab" -k 1,1 > "$W/tree"
  find . -type f -printf '%P\0' | xargs -0 -r sha256sum | sed -E 's/^([0-9a-f]{64})  (.*)$/\2\t\1/' |
    sort -t "$tab" -k 1,1 > "$W/sums"
  join -t "$tab" -a 1 "$W/tree" "$W/sums" > "$W/list$1"
}
(list 1 "$2")
(list 2 "$3")
diff "$W/list1" "$W/list2" > "$W/diff" || true
sed -n -e 's/^< /-\t/p' -e 's/^> /+\t/p' "$W/diff" | sort -t "$tab" -k 2,2 -s > "$W/changes"
head -n 2000 "$W/changes"
cut -f 2 "$W/changes" | uniq | head -n "$4" | while IFS= read -r path; do
  for side in 1 2; do
    cd "$W/root$side"
    if [ -f "$path" ] || [ -L "$path" ]; then cp -a --parents "$path" "$W/$side/"; fi
  done
done
if [ ! -s "$W/changes" ]; then cmp "$2" "$3" | sed -E 's/.*(byte|char) ([0-9]+).*/cmp\t\2/'; fi
`;
