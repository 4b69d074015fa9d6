/** Starts threads and collects the heap, as often as each word and each line of input says; "wait" waits for a signal. */
public class Weaver {
  private static int threads = 0;

  static int depth(int left) {
    return left == 0 ? 0 : 1 + depth(left - 1);
  }

  private static void weave(int count) throws Exception {
    for (int left = count; left > 0; left--) {
      Thread thread = new Thread(() -> depth(4), "F\u00e4den-" + ++threads);
      thread.start();
      thread.join();
    }
    System.gc();
  }

  public static void main(String[] words) throws Exception {
    for (String word : words) weave(Integer.parseInt(word));
    System.out.println("ready");
    java.io.BufferedReader input = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      if (line.equals("wait")) Thread.sleep(60_000);
      weave(Integer.parseInt(line));
      System.out.println("done " + threads);
    }
  }
}
