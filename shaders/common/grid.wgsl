// grid: one index per invocation when a long row of workgroups had to fold into y.
// Joined in front of a kernel that is launched with a single count of workgroups.

fn linear_index(group: vec3u, groups: vec3u, local: u32, size: u32) -> u32 {
  return (group.y * groups.x + group.x) * size + local;
}
